/**
 * A client that signs with a group's key: the verbs of the ledger (`publishVersion`, `approveModel`, `setKey` and all others) and
 * `sayRecords` make proposals of it, wait until enough members have signed, and send what they signed. `cosign` is the other members' part.
 */
import type { Signature } from "@openledger/circuits/field/curve/eddsa";
import { leafReference } from "@openledger/circuits/ledger/operation";
import { kindRule, LEAF_KIND } from "@openledger/circuits/protocol";
import { toHexSignature } from "@openledger/circuits/wire/hex-signature";
import type { RecordBody, SignedRecord } from "@openledger/datanets/records/record";
import { hex32 } from "@openledger/foundation/hex";
import { type LedgerClient, requireL2Key } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { groupInvalid, groupKey } from "./frost-suite.ts";
import { type GroupMember, groupKeyX } from "./group-charter.ts";
import type { GroupMailbox } from "./group-messages.ts";
import {
  type GroupProposal,
  makeProposal,
  operationSubject,
  type ProposalSubject,
  proposalLeaf,
  proposedOperation,
} from "./group-proposal.ts";
import { signProposal } from "./signing-session.ts";

/** What a client needs to act for a group. Its `l2Key` is the member's own. */
export interface GroupSigning {
  readonly member: GroupMember;
  readonly mailbox: GroupMailbox;
  /** Time that the others have to sign, in milliseconds. */
  readonly timeoutMs: number;
  /** Called with each proposal before it waits, so that it can be shown to the others. */
  readonly onProposal?: (proposal: GroupProposal) => void;
  readonly pollMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * The client, signing operations and records of a group's leaf with the group. `client` has the key of one member's account.
 * @throws CLI_NOT_CONFIGURED
 */
export function asGroup(client: LedgerClient, leafId: number, signing: GroupSigning): LedgerClient {
  const { x: keyX } = groupKey(signing.member.keys);
  return {
    ...client,
    leafId,
    operationSigner: {
      keyX,
      sign: (operation, { bRef }) => propose(client, signing, operationSubject(operation, bRef)),
      signRecord: (body) => signGroupRecord(client, signing, body),
    },
  };
}

/** Has a group sign a record, which any member may then bring to a host. @throws as `signProposal` */
async function signGroupRecord(
  client: LedgerClient,
  signing: GroupSigning,
  body: RecordBody,
): Promise<SignedRecord> {
  const signature = await propose(client, signing, { kind: "record", body });
  return { body, keyX: groupKeyX(signing.member.keys), signature: toHexSignature(signature) };
}

function propose(client: LedgerClient, signing: GroupSigning, subject: ProposalSubject): Promise<Signature> {
  const { member, onProposal, timeoutMs, ...rest } = signing;
  const proposal = makeProposal(member, { subject, untilMs: Date.now() + timeoutMs });
  onProposal?.(proposal);
  return signProposal({ ...rest, member, key: requireL2Key(client), proposal });
}

/**
 * Compares a proposal with the ledger: the leaf has the group's key, the operation is its next one, and leaf B is whose the
 * proposal says.
 * @throws CLI_GROUP_INVALID
 */
export async function checkProposal(
  client: LedgerClient,
  member: GroupMember,
  proposal: GroupProposal,
): Promise<void> {
  const leafId = proposalLeaf(proposal);
  const { subject } = proposal;
  const keyX = groupKeyX(member.keys);
  const leaf = await getLeaf(client, leafId);
  if (hex32(leaf.keyX) !== keyX)
    throw groupInvalid("other-leaf", `leaf ${leafId} has another key than this group's`);
  if (subject.kind === "record") return;
  const operation = proposedOperation(subject);
  // A later one could be held back, and sent when nobody thinks of it any more.
  if (operation.nonce !== BigInt(leaf.nextNonce))
    throw groupInvalid(
      "nonce",
      `the next operation of leaf ${leafId} has nonce ${leaf.nextNonce}, not ${operation.nonce}`,
    );
  const rule = kindRule(operation.kind)!;
  const leafB = rule.usesB && !rule.isCreate ? await getLeaf(client, operation.b) : null;
  const bRef =
    leafB === null ? 0n : leafReference({ l1Owner: BigInt(leafB.l1Owner), kind: LEAF_KIND[leafB.kind] });
  if (bRef !== BigInt(subject.bRef))
    throw groupInvalid(
      "other-owner",
      `leaf ${operation.b} belongs to another address than the proposal says`,
    );
}

/** Signs another member's proposal, after a comparison with the ledger. @throws as `checkProposal` and `signProposal` */
export async function cosign(
  client: LedgerClient,
  signing: Omit<GroupSigning, "timeoutMs" | "onProposal">,
  proposal: GroupProposal,
): Promise<Signature> {
  await checkProposal(client, signing.member, proposal);
  return signProposal({ ...signing, key: requireL2Key(client), proposal });
}
