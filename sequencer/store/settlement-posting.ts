/**
 * Stored form of a settlement that goes to L1 with its batch: wire data and proofs, and the bytes that it takes of a
 * transaction.
 */
import { decodeEntries, type PostedSettlement } from "@openledger/circuits/settlement/settlement-data";
import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { proofJson } from "@openledger/circuits/wire/wire-fields";
import { hex32 } from "@openledger/foundation/hex";

/** One entry of `submitBatches`, with its proof. */
export interface EntryPosting {
  /** Name of the circuit. */
  readonly circuit: string;
  /** Wire form (docs/reference/settlement.md, "On L1"). */
  readonly wire: Uint8Array;
  /** C, y, z: the proof's public signals. */
  readonly publicSignals: readonly [bigint, bigint, bigint];
  readonly proof: Groth16Proof;
}

/** Settlement with the fields of its first entry. */
export interface SettlementPosting extends EntryPosting {
  /** Other entries in L1's order; absent for a settlement of one shard. */
  readonly further?: readonly EntryPosting[];
}

/** All entries of a settlement, in L1's order. */
export const entriesOf = <Entry>(
  settlement: Entry & { readonly further?: readonly Entry[] | undefined },
): Entry[] => [settlement, ...(settlement.further ?? [])];

/** Decodes the posted bytes. @throws CIR_WIRE_MALFORMED */
export const postedBy = (posting: SettlementPosting): PostedSettlement =>
  decodeEntries(entriesOf(posting).map(({ wire }) => wire));

/** An entry as it was sent. */
type SentEntry = Omit<EntryPosting, "wire"> & { readonly data: Uint8Array };

/** Part of a sent settlement that goes to L1. */
export function postingOf({
  further = [],
  ...first
}: SentEntry & { readonly further?: readonly SentEntry[] | undefined }): SettlementPosting {
  const entryOf = ({ circuit, data, proof, publicSignals }: SentEntry): EntryPosting => ({
    circuit,
    wire: data,
    publicSignals,
    proof,
  });
  return { ...entryOf(first), ...(further.length > 0 && { further: further.map(entryOf) }) };
}

/**
 * Bytes of a transaction's input that an entry takes besides its data: five words, padding, and the proof of eight
 * words.
 */
const ENTRY_INPUT_BYTES = 5 * 32 + 31 + 8 * 32;
/**
 * Maximum input bytes of one batch's settlements: the bridge's transactions have 120 KB for a batch and its
 * settlements. So many bytes need no more gas than one transaction has.
 */
const MAX_INPUT_BYTES = 64_000;

/**
 * Returns true if one batch takes these settlements to L1, however many entries each has. A batch always takes one
 * alone.
 */
export function fitTogether(settlements: readonly SettlementPosting[]): boolean {
  const entries = settlements.flatMap((settlement) => entriesOf<EntryPosting>(settlement));
  const bytes = entries.reduce((sum, { wire }) => sum + wire.length + ENTRY_INPUT_BYTES, 0);
  return settlements.length < 2 || bytes <= MAX_INPUT_BYTES;
}

const entryJson = ({ circuit, proof, publicSignals, wire }: EntryPosting) => ({
  circuit,
  data: `0x${Buffer.from(wire).toString("hex")}`,
  publicSignals: publicSignals.map(hex32),
  proof: proofJson(proof),
});

/** Posting in the API's answers. */
export const postingJson = ({ further, ...first }: SettlementPosting) => ({
  ...entryJson(first),
  ...(further === undefined ? {} : { further: further.map(entryJson) }),
});
