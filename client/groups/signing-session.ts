/**
 * A session in which members of a group sign one proposal: each who agrees commits to a nonce; the proposer names the first k of
 * them; these sign; anyone adds the parts up. A member's nonce is in this process's memory alone and signs at most once: a process
 * that ends, or a signer who does not answer, ends the session, and a new proposal begins another.
 *
 * The proposer may name whom they like among those who agreed, or nobody; they cannot make anyone sign another message, sign
 * without k members, or use a commitment of another session, since every member compares the list with what each signer has signed
 * for this one. A wrong part names its signer. Sessions may run side by side.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { Signature } from "@openledger/circuits/field/curve/eddsa";
import type { Hex } from "viem";
import { z } from "zod";
import type { L2Key } from "../l2-key.ts";
import { MAX_MEMBERS, memberNumber } from "./frost-suite.ts";
import { charterSession, type GroupMember, membersOf, numberOf, pointSchema } from "./group-charter.ts";
import { fault, type GroupMailbox, GroupSession } from "./group-messages.ts";
import { type GroupProposal, proposalMessage, proposalSession, readProposal } from "./group-proposal.ts";
import {
  addParts,
  checkList,
  createNonce,
  isCommitment,
  isPartOf,
  type NonceCommitment,
} from "./signing-part.ts";

export interface SignProposalOptions {
  readonly member: GroupMember;
  /** The member's own ledger key, which signs their messages. */
  readonly key: Pick<L2Key, "keyX" | "sign">;
  /** The proposal, which the member has read, compared with the ledger, and agrees to. */
  readonly proposal: GroupProposal;
  readonly mailbox: GroupMailbox;
  readonly pollMs?: number;
  readonly signal?: AbortSignal;
}

const commitSchema = z.strictObject({ hiding: pointSchema, binding: pointSchema });
const signersSchema = z.strictObject({
  signers: z
    .array(z.strictObject({ from: z.string(), hiding: pointSchema, binding: pointSchema }))
    .max(MAX_MEMBERS),
});
const partSchema = z.strictObject({ part: pointSchema });

/**
 * Signs a proposal with others, and returns the group's signature, which the ledger takes. The proposer's call posts the proposal.
 * @throws CLI_GROUP_INVALID, CLI_GROUP_FAULT, CLI_GROUP_SILENT
 */
export async function signProposal(options: SignProposalOptions): Promise<Signature> {
  const { key, mailbox, member, pollMs, signal } = options;
  const proposal = readProposal(member, options.proposal);
  const { charter } = member.group;
  const [domain, session, members] = [BigInt(charter.domain), proposalSession(proposal), membersOf(charter)];
  const message = proposalMessage(proposal);
  const { proposer, untilMs } = proposal;
  const talk = new GroupSession({ domain, session, members, key, mailbox, untilMs, pollMs, signal });
  const own = { number: numberOf(member), share: hexToBytes(member.share.reveal()) };
  if (talk.keyX !== member.keyX) throw fault("other-key", [talk.keyX]);
  await talk.begin("commit");
  const isProposer = proposer === talk.keyX;
  if (isProposer) await talk.post("propose", proposal);
  const nonce = createNonce(own);
  try {
    // Who comes after the signers were named has nothing to do but look on.
    if (talk.saidBy("signers", proposer) === undefined) {
      const { binding, hiding } = nonce.commitment;
      await talk.post("commit", { hiding, binding });
    }
    if (isProposer) await nameSigners(talk, member);
    const list = await readSigners(talk, member, proposer);
    const signers = [...list.keys()];
    const commitments = [...list.values()];
    if (signers.includes(talk.keyX)) {
      const part = nonce.sign(member.keys, commitments, message);
      await talk.post("part", { part: bytesToHex(part) });
    }
    const parts = new Map<string, Uint8Array>();
    const missing = () => signers.filter((from) => !parts.has(list.get(from)!.number));
    const takeParts = () => {
      for (const from of missing()) {
        if (talk.saidBy("part", from) === undefined) continue;
        const { number } = list.get(from)!;
        const part = hexToBytes(talk.bodyOf("part", from, partSchema).part);
        if (!isPartOf(member.keys, commitments, message, { number, part })) throw fault("part", [from]);
        parts.set(number, part);
      }
      return missing().length === 0;
    };
    await talk.waitUntil(takeParts, "part", missing);
    return addParts(member.keys, commitments, message, parts);
  } finally {
    nonce.erase();
    own.share.fill(0);
  }
}

/** Waits until as many members as sign have committed, and names the proposer and the first others. */
async function nameSigners(talk: GroupSession, { group: { charter } }: GroupMember): Promise<void> {
  const members = membersOf(charter);
  const ready: Hex[] = [talk.keyX];
  const missing = () => members.filter((from) => !ready.includes(from));
  await talk.waitUntil(
    () => {
      for (const from of missing()) if (talk.saidBy("commit", from) !== undefined) ready.push(from);
      return ready.length >= charter.threshold;
    },
    "commit",
    missing,
  );
  const signers = ready.slice(0, charter.threshold).map((from) => {
    const { binding, hiding } = talk.bodyOf("commit", from, commitSchema);
    return { from, hiding, binding };
  });
  await talk.post("signers", { signers });
}

/** The named signers with their commitments, each as its member has signed it for this session. @throws CLI_GROUP_FAULT */
async function readSigners(
  talk: GroupSession,
  { group: { charter }, keys }: GroupMember,
  proposer: Hex,
): Promise<Map<Hex, NonceCommitment>> {
  const members = membersOf(charter);
  const named = (await talk.collect("signers", [proposer], signersSchema)).get(proposer)!.signers;
  const signers = members.filter((keyX) => named.some(({ from }) => from === keyX));
  if (signers.length !== named.length || signers.length !== charter.threshold)
    throw fault("signers", [proposer]);
  const committed = await talk.collect("commit", signers, commitSchema);
  const list = new Map(
    named.map(({ binding, from, hiding }) => {
      const own = committed.get(from as Hex)!;
      if (own.hiding !== hiding || own.binding !== binding) throw fault("signers", [proposer]);
      return [from as Hex, { number: memberNumber(charterSession(charter), from), hiding, binding }];
    }),
  );
  for (const [from, commitment] of list) if (!isCommitment(commitment)) throw fault("commit", [from]);
  checkList(keys, [...list.values()]);
  return list;
}
