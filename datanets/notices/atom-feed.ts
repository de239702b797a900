/** Feeds of events and of acts as Atom (RFC 4287), for any feed reader. */
import { type EventKind, type StoredEvent, sentenceOf } from "./event.ts";

/** Entry of a feed. */
export interface FeedEntry {
  /** The same at every host and after every restore. */
  readonly uid: string;
  readonly title: string;
  /** Kind, for readers that sort by it. */
  readonly category: string;
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly text: string;
  /** URL of the page that shows more. */
  readonly pageUrl: string;
}

const TITLES: Readonly<Record<EventKind, string>> = {
  "row.used": "Your rows were used",
  "row.disputed": "A row is disputed",
  "paid.out": "Paid out",
  "access.requested": "Access was asked for",
  "access.answered": "Your request was answered",
  "model.waits": "A model waits for approval",
  "row.withdrawn": "A row was withdrawn",
  test: "A trial",
};

/** Page about an event, behind the "#" of the pages' URL: what somebody does about it is there. */
function pageOf({ data, datanetId, kind, leafId }: StoredEvent): string {
  const id = data.datanetId ?? datanetId;
  if (kind === "test" || kind === "row.used" || kind === "paid.out" || id == null) return "/earnings";
  if (kind === "model.waits") return `/datanets/${id}/models`;
  if (kind === "access.requested") return `/datanets/${id}/access`;
  // To a model whose version has the row.
  if (kind === "row.withdrawn" && leafId !== id) return `/leaf/${leafId}`;
  return `/datanets/${id}`;
}

/** An event as a feed has it. @param pagesUrl URL of the pages, without a slash at its end */
export const eventEntry = (event: StoredEvent, pagesUrl: string): FeedEntry => ({
  pageUrl: `${pagesUrl}/#${pageOf(event)}`,
  uid: event.uid,
  title: TITLES[event.kind],
  category: event.kind,
  atMs: event.atMs,
  text: sentenceOf(event),
});

/** Text as XML takes it: without characters that XML has no way to write. */
const escaped = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 forbids them
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])/g, "")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");

export interface FeedFacts {
  /** Title: whose feed it is. */
  readonly title: string;
  /** URL of the feed. */
  readonly url: string;
  /** Prefix of ids of entries: they stay the same at every address of the host. */
  readonly idPrefix: string;
  /** Time of a feed without entries, in Unix milliseconds. */
  readonly nowMs: number;
}

/** Writes entries, newest first, as an Atom document. */
export function atomFeed(list: readonly FeedEntry[], { idPrefix, nowMs, title, url }: FeedFacts): string {
  const time = (ms: number) => new Date(ms).toISOString();
  const updatedMs = Math.max(0, ...list.map(({ atMs }) => atMs)) || nowMs;
  const entries = list.map(
    ({ atMs, category, pageUrl, text, title: entryTitle, uid }) => `  <entry>
    <id>${escaped(`${idPrefix}:event:${uid}`)}</id>
    <title>${escaped(entryTitle)}</title>
    <updated>${time(atMs)}</updated>
    <link rel="alternate" type="text/html" href="${escaped(pageUrl)}"/>
    <category term="${escaped(category)}"/>
    <content type="text">${escaped(text)}</content>
  </entry>
`,
  );
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>${escaped(`${idPrefix}:feed:${new URL(url).pathname}`)}</id>
  <title>${escaped(title)}</title>
  <updated>${time(updatedMs)}</updated>
  <author><name>OpenLedger</name></author>
  <link rel="self" href="${escaped(url)}"/>
${entries.join("")}</feed>
`;
}
