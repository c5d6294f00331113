"""Prompts made better by a model that writes."""

from uuid import UUID

from darkroom.media import requests
from darkroom.media.generation import sandboxed, wording
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task


@step(lane="io")
def improve(task: Task, request_id: str) -> Save:
    """Have a prompt written anew: the same picture, in better words, in its own language."""
    order = requests.load(task.database, UUID(request_id))
    prompt, style = order.asked["prompt"], order.asked["style"]
    task.progress(0.1, "improving the prompt")
    answer = wording.bought(task, f"prompt-{order.request_id}", prompt, style)
    better = wording.read(answer)
    result = {"prompt": better, "enhanced_prompt": better, "original": prompt, "style": style}
    told = {**result, **sandboxed.note(is_sandbox=answer.is_sandbox)}
    return lambda tx: requests.finish(tx, order, told, engine=answer.model)
