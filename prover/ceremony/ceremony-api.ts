/**
 * What goes between a coordinator and those who contribute. Runs in browsers.
 *
 *   GET  /v1/ceremony       infoSchema
 *   GET  /v1/transcript     transcriptSchema: of every contribution so far, what anybody can check
 *   POST /v1/tickets        {name} → {ticket}: a place in the waiting list
 *   GET  /v1/ticket?done=N T ticketSchema; asking keeps the place, silence loses it. In one's turn N, which counts what
 *                           was fetched, computed and sent, has to change: a turn in which nothing is done is lost
 *   DELETE /v1/ticket     T {}: gives the place back
 *   GET  /v1/round        T bytes of the round to contribute to, by `range: bytes=N-` from byte N on; in one's turn
 *   PUT  /v1/round?offset=N T octets of the contribution from byte N on → {receivedBytes}
 *   POST /v1/contribution T {} → entrySchema: checks what was uploaded and takes it
 *   GET  /v1/key            bytes of the finished proving key
 *
 * T: `authorization: Bearer <ticket>`. Errors: {"error": {code, message, data}}, codes in docs/reference/errors.md.
 */
import { z } from "zod";
import { recordBytes } from "./contribution-record.ts";

const count = z.int().min(0);
const timeMs = z.number();
const hexBytes = (byteCount: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * byteCount}}$`));

/** Shown to everybody and kept in the key: no control characters, and snarkjs keeps 64 bytes. */
export const contributorName = z
  .string()
  .trim()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{0,64}$/u, "a name is at most 64 visible characters")
  .refine((name) => new TextEncoder().encode(name).length <= 64, "a name is at most 64 bytes long");

export const ticketText = hexBytes(32);

export const infoSchema = z.object({
  circuitName: z.string(),
  /** Of the circuit's sources. */
  contentHash: z.string(),
  /** Of the first key: every contribution's hash depends on it. */
  circuitHash: hexBytes(64),
  /** delta in G1 before the first contribution, as a key has it. */
  firstDelta: hexBytes(64),
  pointCount: count,
  roundBytes: count,
  /** Largest piece of an upload. */
  pieceBytes: count,
  state: z.enum(["open", "full", "finished"]),
  contributionCount: count,
  maxContributions: count,
  waitingCount: count,
  turn: z.object({ name: z.string(), sinceMs: timeMs, endsAtMs: timeMs }).nullable(),
  turnMs: count,
  silentMs: count,
  stalledMs: count,
  /** The public value that will end the ceremony, as it was announced; empty where none was. */
  beaconNotice: z.string(),
  finished: z
    .object({
      beaconHex: z.string(),
      iterationsExp: count,
      record: hexBytes(recordBytes),
      hash: hexBytes(64),
      zkeySha256: hexBytes(32),
      zkeyBytes: count,
    })
    .nullable(),
  nowMs: timeMs,
});
export type CeremonyInfo = z.output<typeof infoSchema>;

export const entrySchema = z.object({
  /** From 1. */
  index: count,
  name: z.string(),
  atMs: timeMs,
  record: hexBytes(recordBytes),
  /** What the contributor publishes. */
  hash: hexBytes(64),
  /** Of the whole round that they handed on. */
  roundSha256: hexBytes(32),
});
export type CeremonyEntry = z.output<typeof entrySchema>;

export const transcriptSchema = z.object({ entries: z.array(entrySchema) });

export const ticketSchema = z.discriminatedUnion("state", [
  /** `place` of them come before. */
  z.object({ state: z.literal("waiting"), place: count }),
  z.object({ state: z.literal("turn"), index: count, endsAtMs: timeMs, receivedBytes: count }),
  z.object({ state: z.literal("checking") }),
  z.object({ state: z.literal("accepted"), entry: entrySchema }),
  z.object({ state: z.literal("lost"), reason: z.string() }),
]);
export type TicketState = z.output<typeof ticketSchema>;

export const receivedSchema = z.object({ receivedBytes: count });

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const fromHex = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
