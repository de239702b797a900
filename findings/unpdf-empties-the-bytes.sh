#!/usr/bin/env bash
# Package: unpdf 1.7.0, which has PDF.js inside.
# Guess: extractText reads the bytes that it is given. They can be hashed, stored or read by another function afterwards.
# Behaviour: the bytes are moved to the parser: the caller's array has length 0 after the call, so its hash is that of nothing, and a second call fails.
# A copy, or a document proxy that is opened once and given to every function, is the way.
# Seen: {"text":"A clause","bytesBefore":583,"bytesAfter":0,"secondCall":"rejected"}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund unpdf@1.7.0
cat > show.mjs <<'JS'
import { extractText } from "unpdf";

const stream = "BT /F1 12 Tf 20 200 Td (A clause) Tj ET";
const objects = [
  "<< /Type /Catalog /Pages 2 0 R >>",
  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>",
  `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
  "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
];
let text = "%PDF-1.4\n";
const places = objects.map((object, i) => {
  const place = text.length;
  text += `${i + 1} 0 obj\n${object}\nendobj\n`;
  return `${String(place).padStart(10, "0")} 00000 n \n`;
});
const start = text.length;
text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places.join("")}`;
text += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;

const bytes = new TextEncoder().encode(text);
const bytesBefore = bytes.length;
const first = await extractText(bytes, { mergePages: true });
const secondCall = await extractText(bytes).then(
  () => "resolved",
  () => "rejected",
);
console.log(JSON.stringify({ text: first.text, bytesBefore, bytesAfter: bytes.length, secondCall }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"text":"A clause","bytesBefore":583,"bytesAfter":0,"secondCall":"rejected"}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
