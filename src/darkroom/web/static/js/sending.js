// A form with a large file: sent with its progress shown. Without this the browser sends it itself.

export function begin(form) {
  const now = form.querySelector("[data-sending-now]");
  const bar = now.querySelector("progress");
  const says = now.querySelector("[data-sending-word]");
  const button = form.querySelector("[type=submit]");

  const stop = (message) => {
    button.disabled = false;
    bar.hidden = true;
    says.textContent = message;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const call = new XMLHttpRequest();
    call.open("POST", form.action);
    call.setRequestHeader("Accept", "application/json, text/html;q=0.5");
    call.upload.addEventListener("progress", (sent) => { if (sent.lengthComputable) bar.value = sent.loaded / sent.total; });
    call.upload.addEventListener("load", () => { says.textContent = says.dataset.checkingText; });
    call.addEventListener("load", () => {
      if (call.status < 400) location.assign(call.responseURL);
      else stop(messageOf(call));
    });
    call.addEventListener("error", () => stop(says.dataset.lostText));
    now.hidden = bar.hidden = false;
    bar.value = 0;
    button.disabled = true;
    says.textContent = says.dataset.sendingText;
    call.send(new FormData(form));
  });
}

function messageOf(call) {
  try {
    return JSON.parse(call.responseText).error.message;
  } catch {
    return call.statusText;
  }
}
