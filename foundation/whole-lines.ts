/**
 * Lines of a text file that is appended to, by their line feeds alone: readline of Node ends lines at U+2028, too, which JSON does
 * not escape.
 */
import { createReadStream } from "node:fs";
import { textOfBytes } from "./utf8.ts";

const LINE_FEED = 0x0a;

/**
 * Reads the lines that have their ends. What follows the last line feed was not written whole.
 * @throws what Node's file calls throw, and TypeError for what is no UTF-8
 */
export async function* wholeLines(path: string): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path)) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
      yield textOfBytes(bytes.subarray(from, end));
      from = end + 1;
    }
    rest = bytes.subarray(from);
  }
}
