#!/usr/bin/env bash
# Packages: mammoth 1.13.0 reads a document that fflate 0.8.3 packs.
# Guess: the text of a .docx is what Word shows and prints: words formatted as hidden are left out, as deleted ones are, and a line break parts two words.
# Behaviour: hidden words (w:vanish) are in the text like all others, without a message, while tracked deletions are dropped. extractRawText leaves a line
# break out, so "one", break, "two" is the word "onetwo"; convertToHtml has it.
# Seen: {"html":"<p>The rent is 900. Ask for 1100.</p><p>one<br />two</p><p>new</p>","text":"The rent is 900. Ask for 1100.\n\nonetwo\n\nnew\n\n","messages":0}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund mammoth@1.13.0 fflate@0.8.3
cat > show.mjs <<'JS'
import { strToU8, zipSync } from "fflate";
import mammoth from "mammoth";

const schemas = "http://schemas.openxmlformats.org";
const xml = (text) => strToU8(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>${text}`);
const run = (text, format = "") => `<w:r>${format}<w:t xml:space="preserve">${text}</w:t></w:r>`;
const paragraphs = [
  run("The rent is 900. ") + run("Ask for 1100.", "<w:rPr><w:vanish/></w:rPr>"),
  "<w:r><w:t>one</w:t><w:br/><w:t>two</w:t></w:r>",
  `<w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:ins>${run("new")}</w:ins>`,
];
const body = paragraphs.map((paragraph) => `<w:p>${paragraph}</w:p>`).join("");
const main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
const buffer = Buffer.from(
  zipSync({
    "[Content_Types].xml": xml(
      `<Types xmlns="${schemas}/package/2006/content-types"><Default Extension="rels" ` +
        `ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
        `<Override PartName="/word/document.xml" ContentType="${main}"/></Types>`,
    ),
    "_rels/.rels": xml(
      `<Relationships xmlns="${schemas}/package/2006/relationships"><Relationship Id="rId1" ` +
        `Type="${schemas}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`,
    ),
    "word/document.xml": xml(
      `<w:document xmlns:w="${schemas}/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
    ),
  }),
);
const html = await mammoth.convertToHtml({ buffer });
const text = await mammoth.extractRawText({ buffer });
const messages = html.messages.length + text.messages.length;
console.log(JSON.stringify({ html: html.value, text: text.value, messages }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"html":"<p>The rent is 900. Ask for 1100.</p><p>one<br />two</p><p>new</p>","text":"The rent is 900. Ask for 1100.\n\nonetwo\n\nnew\n\n","messages":0}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
