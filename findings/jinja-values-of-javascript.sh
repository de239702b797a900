#!/usr/bin/env bash
# Package: @huggingface/jinja 0.5.11, which renders chat templates in JavaScript.
# Guess: a template renders to the bytes that Python's Jinja makes of it, since templates are written for that.
# Behaviour: values print and compare in JavaScript's way. Python's Jinja 3.1 prints True, None and [1, True, None], its remainder of -7 by 3 is 2, and
# [1] == [1] holds, its title is It's. A template with one of these gives a prompt that the model was not trained on, and nothing says so.
# Seen: {"boolean":"true","nothing":"","list":"[1, true, null]","remainder":"-1","equalLists":"false","title":"It'S"}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @huggingface/jinja@0.5.11
cat > show.mjs <<'JS'
import { Template } from "@huggingface/jinja";

const render = (source, values = {}) => new Template(source).render(values);
console.log(
  JSON.stringify({
    boolean: render("{{ value }}", { value: true }),
    nothing: render("{{ value }}", { value: null }),
    list: render("{{ value }}", { value: [1, true, null] }),
    remainder: render("{{ -7 % 3 }}"),
    equalLists: render("{{ [1] == [1] }}"),
    title: render("{{ value | title }}", { value: "it's" }),
  }),
);
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"boolean":"true","nothing":"","list":"[1, true, null]","remainder":"-1","equalLists":"false","title":"It'"'"'S"}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
