/**
 * Two hosts, model's servers, factories and gateways that differ in the contents of permissioned rows alone answer a stranger byte for byte the
 * same on every route, but for what is named here. Counts, similarities and hashes tell of a row without a word of it.
 */
import { sha256Hex } from "@openledger/datanets/rows/row-digest";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makePrivateRows } from "./testing/privacy/private-rows.ts";
import { createPrivateWorld, type PrivateWorld } from "./testing/privacy/private-world.ts";
import { type WalkedAnswer, type WalkedRequest, walk } from "./testing/privacy/walk.ts";

/** Fields of answers that may differ. */
const NAMED_FIELDS = [
  // Times, and what is made at random for each server.
  /^(?:at|now|asked|answered|until|committed|published|checked)(?:At)?Ms$/,
  /^session$/,
  // Names of signed records and of events, and signatures: they have times.
  /^(?:signature|uid)$/,
  // Digest of a report, whose text is its readers'.
  /^report$/,
];
/** Routes whose whole answers follow from the rows, and say so: lists of digests, and the files of a model that was published. */
const NAMED_ROUTES = [
  "host: GET /v1/datanets/:id/commits/:root/list",
  "host: GET /v1/datanets/:id/versions/:root",
  "model with rows: GET /:model/v1/model",
  "model with rows: GET /:model/v1/model/:file",
  "model without rows: GET /:model/v1/model",
  "model without rows: GET /:model/v1/model/:file",
];
/** Headers that tell of the moment, or of the bytes that are compared anyway. */
const NAMED_HEADERS = /^(?:date|content-length|keep-alive|x-ratelimit-.*)$/;

/** Header with terms of payment, as base64 of JSON. */
const X402_HEADER = "payment-required";
const decoded = (value: unknown) => Buffer.from(String(value), "base64").toString("utf8");

/** Something that the asker knows of nobody's rows. */
const known = {
  word: "zqkaaaaaaa",
  beginning: "zqkaaaaaaa zqkbbbbbbb of house 0 says",
  digest: "11".repeat(32),
};
const guessed: Uint8Array[] = [];
const worlds: PrivateWorld[] = [];
beforeAll(async () => {
  const first = makePrivateRows("one");
  // In the first world they are right: a copy of a row, nearly another one, and words of a third.
  const texts = first.texts.slice(1, 4).map((row) => new TextDecoder().decode(row));
  const guesses = [texts[0]!, `${texts[1]} too`, ...texts[2]!.split(" ").filter((word) => word.length > 2)];
  guessed.push(...guesses.map((text) => new TextEncoder().encode(text)));
  for (const rows of [first, makePrivateRows("other", true)])
    worlds.push(await createPrivateWorld(rows, guessed));
});
afterAll(async () => {
  for (const world of worlds) await world.close();
});

const isNamed = (route: string) => NAMED_ROUTES.includes(route.replace(": HEAD ", ": GET "));

/** Puts the names of a world's own values in their places: addresses, roots, digests, ids that are made at random. */
function namesOf(world: PrivateWorld): readonly (readonly [string, string])[] {
  const { allDigests, datasetId, host, reportDigest, roots, servers, staticsHashes, versionRoot } = world;
  return [
    [world.world.sequencerUrl.replace("http://", ""), "address of the sequencer"],
    ...servers.map(({ name, url }) => [url.replace("http://", ""), `address of ${name}`] as const),
    [host.url.replace("http://", ""), "address of host"],
    ...Object.values(roots).map((root, i) => [root.slice(2), `root ${i}`] as const),
    [versionRoot.slice(2), "root of the version"],
    ...guessed.map((text, i) => [sha256Hex(text), `guess ${i}`] as const),
    ...allDigests.map((digest, i) => [digest, `digest ${i}`] as const),
    [reportDigest, "digest of the report"],
    [datasetId, "data set"],
    // A model that nobody may pay yet names its terms by x402, too; the ledger shows its statics to everybody.
    ...staticsHashes.map((hash, i) => [hash.slice(2), `statics ${i}`] as const),
  ];
}

/** Parts of an answer that may not differ. */
function comparable(world: PrivateWorld, { asked: _, ...request }: WalkedRequest, answer: WalkedAnswer) {
  const route = `${request.server}: ${request.route}`;
  const headers = Object.fromEntries(
    Object.entries(answer.headers)
      .filter(([name]) => !NAMED_HEADERS.test(name))
      .map(([name, value]) => [name, name === X402_HEADER ? decoded(value) : value]),
  );
  const parts = { route, status: answer.status, headers: rename(world, JSON.stringify(headers)) };
  if (isNamed(route)) return { ...parts, body: null };
  const text = rename(world, answer.body.toString("latin1"));
  return { ...parts, body: inAnyOrder(withoutTimes(headers["content-type"] ?? "", text)) };
}

/** Events have numbers in the order in which a host looks at several Datanets. */
function inAnyOrder(text: string): string {
  if (text.startsWith('{"events":['))
    return text
      .replace(/"id":\d+,/g, "")
      .slice(11)
      .split("},{")
      .sort()
      .join("},{");
  if (!text.includes("<feed ")) return text;
  return text
    .replace(/:event:[0-9a-f]+/g, "")
    .split("<entry>")
    .sort()
    .join("<entry>");
}

const rename = (world: PrivateWorld, text: string) =>
  namesOf(world).reduce((all, [from, to]) => all.replaceAll(from, `<${to}>`), text);

function withoutTimes(type: string, text: string): string {
  if (type.startsWith("application/json") && text !== "")
    return (
      JSON.stringify(
        JSON.parse(text, (name, value: unknown) =>
          NAMED_FIELDS.some((field) => field.test(name)) && value !== null ? `<${name}>` : value,
        ),
      )
        // Names of signed requests for access, in which times are; of events, by salted digests; of operations, by their roots; of a base,
        // by the folder that it is in.
        .replace(/"uid":"[0-9a-f]{32}"/g, '"uid":"<event>"')
        .replace(/"(hash|id|request)":"0x[0-9a-f]{64}"/g, '"$1":"<record>"')
        .replace(/base-[0-9a-f]{16}/g, "<base>")
    );
  // Times of a feed, and names of its events.
  return text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>").replace(/event:[0-9a-f]{32}/g, "event:<event>");
}

it.each(["nobody", "a stranger"])(
  "every route answers %s the same, whatever is in the rows",
  async (asker) => {
    const answers: ReturnType<typeof comparable>[][] = [];
    for (const world of worlds) {
      const own: ReturnType<typeof comparable>[] = [];
      const client = asker === "nobody" ? null : world.stranger;
      await walk(world, { client, known }, (request, answer) => own.push(comparable(world, request, answer)));
      answers.push(own);
    }
    const [one, other] = answers as [(typeof answers)[0], (typeof answers)[0]];
    expect(one.map(({ route }) => route)).toEqual(other.map(({ route }) => route));
    // /metrics measures times.
    const differing = one.filter(
      (answer, i) =>
        !answer.route.endsWith("/metrics") && JSON.stringify(answer) !== JSON.stringify(other[i]),
    );
    const first = differing[0] === undefined ? -1 : one.indexOf(differing[0]);
    expect(one[first]).toEqual(other[first]);
    expect(differing.map(({ route }) => route)).toEqual([]);
    expect(new Set(one.map(({ route }) => route)).size).toBeGreaterThan(200);
  },
);
