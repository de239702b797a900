import { datanetError } from "../datanet-errors.ts";

/** What is between two commas or line ends. */
const PLAIN = /[^,\r\n]*/y;

/**
 * RFC 4180, strictly: commas, fields in double quotes where they hold commas, quotes or line ends, a quote within doubled,
 * every line as many fields as the first. A byte-order mark at the beginning is passed over.
 * @throws DNT_FILE_UNREADABLE naming the line
 */
export function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;
  let lineNumber = 1;
  while (at < text.length) {
    const first = lineNumber;
    const fields: string[] = [];
    for (;;) {
      let field = "";
      if (text[at] === '"') {
        for (at += 1; ; ) {
          const end = text.indexOf('"', at);
          if (end < 0) throw unreadable(first, "a quoted field does not end");
          field += text.slice(at, end);
          at = end + 1;
          if (text[at] !== '"') break;
          field += '"';
          at += 1;
        }
        lineNumber += field.split("\n").length - 1;
        if (at < text.length && !/[,\r\n]/.test(text[at]!))
          throw unreadable(lineNumber, "a closing quote is followed by other characters");
      } else {
        PLAIN.lastIndex = at;
        field = PLAIN.exec(text)![0];
        if (field.includes('"')) throw unreadable(lineNumber, "a field without quotes contains a quote");
        at += field.length;
      }
      fields.push(field);
      if (text[at] !== ",") break;
      at += 1;
    }
    if (text[at] === "\r") at += 1;
    if (at < text.length && text[at] !== "\n")
      throw unreadable(lineNumber, "a line ends without a line feed");
    at += 1;
    lineNumber += 1;
    if (lines.length > 0 && fields.length !== lines[0]!.length)
      throw unreadable(first, `${fields.length} fields, and the first line has ${lines[0]!.length}`);
    lines.push(fields);
  }
  return lines;
}

const unreadable = (line: number, why: string) =>
  datanetError("DNT_FILE_UNREADABLE", `line ${line}: ${why}`, { data: { line, why } });
