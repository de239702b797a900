"""Renders the chats of chats.json by the templates beside this file, as transformers.apply_chat_template does, and writes golden.json.

    pip install jinja2==3.1.6 && python3 models/testing/chat-templates/render.py

The environment is that of transformers/utils/chat_template_utils.py: sandboxed, trim_blocks, lstrip_blocks, loop controls, tojson by
json.dumps without escapes, raise_exception, strftime_now. The date is that of chats.json.
"""

import datetime
import hashlib
import json
import pathlib

from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

here = pathlib.Path(__file__).parent
given = json.loads((here / "chats.json").read_text())
date = datetime.datetime.fromisoformat(given["date"])


class Refused(Exception):
    pass


def raise_exception(message):
    raise Refused(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = raise_exception
environment.globals["strftime_now"] = date.strftime


def parsed(message):
    calls = [
        {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
        for call in message.get("tool_calls", [])
    ]
    return {**message, **({"tool_calls": calls} if calls else {})}


golden = {}
for name, names in given["templates"].items():
    source = (here / f"{name}.jinja").read_text()
    template = environment.from_string(source)
    texts = {}
    for chat, content in given["chats"].items():
        try:
            texts[chat] = template.render(
                messages=[parsed(message) for message in content["messages"]],
                tools=content.get("tools"),
                documents=None,
                add_generation_prompt=True,
                **names,
            )
        except Refused as refusal:
            texts[chat] = {"refused": str(refusal)}
        except TypeError as failure:
            texts[chat] = {"failed": str(failure)}
    golden[name] = {"sha256": hashlib.sha256(source.encode()).hexdigest(), "texts": texts}
text = json.dumps(golden, ensure_ascii=False, indent=2)
(here / "golden.json").write_text(text + "\n")
