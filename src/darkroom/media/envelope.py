"""The envelope of the media services' errors: their clients read `status` and `message`."""

from flask import Response, jsonify


def wear(answer: Response) -> Response:
    """For a blueprint's `after_request`: `status` and `message` beside our `error`."""
    if answer.status_code < 400 or not answer.is_json:
        return answer
    sent = answer.get_json()
    if isinstance(sent.get("error"), dict):
        told = {"status": "error", "message": sent["error"]["message"]}
        answer.set_data(jsonify(told | sent).get_data())
    return answer
