/** Tests of signing sessions: the members of a group over one folder, and what a false member or proposer gets. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { babyjubjub } from "@noble/curves/misc.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { type Signature, verifySignature } from "@openledger/circuits/field/curve/eddsa";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { UnsignedOperation } from "@openledger/circuits/ledger/operation";
import { KIND } from "@openledger/circuits/protocol";
import { type GroupStep, signMessage } from "@openledger/datanets/records/group-message";
import { checkRecords, type RecordBody } from "@openledger/datanets/records/record";
import { hex32 } from "@openledger/foundation/hex";
import type { Hex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRandomKey, type L2Key } from "../l2-key.ts";
import { folderMailbox } from "./folder-mailbox.ts";
import { groupKey, scalars } from "./frost-suite.ts";
import { drawSalt, type GroupMember, groupKeyX, numberOf } from "./group-charter.ts";
import {
  findGroupProposal,
  type GroupProposal,
  makeProposal,
  operationSubject,
  proposalMessage,
  proposalSession,
  readProposal,
} from "./group-proposal.ts";
import { setUpGroup } from "./group-setup.ts";
import { createNonce, type NonceCommitment } from "./signing-part.ts";
import { type SignProposalOptions, signProposal } from "./signing-session.ts";

const DOMAIN = 77n;
const POLL_MS = 5;
let folder: string;
let keys: L2Key[];
let members: GroupMember[];
const mailbox = () => folderMailbox(folder);

beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "sessions-"));
  keys = await Promise.all(Array.from({ length: 3 }, createRandomKey));
  const charter = {
    format: "openledger.group.v1" as const,
    domain: hex32(DOMAIN),
    name: "Village weather",
    threshold: 2,
    members: keys.map(({ keyX }, i) => ({ leafId: 10 + i, keyX: hex32(keyX) })),
    untilMs: Date.now() + 60_000,
    salt: drawSalt(),
    previous: null,
  };
  const made = keys.map((key) => setUpGroup({ charter, key, mailbox: mailbox(), pollMs: POLL_MS }));
  members = (await Promise.all(made)).map((member) => member!);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const OPERATION: UnsignedOperation = {
  kind: KIND.setKey,
  a: 20,
  b: 0,
  amountCode: 0n,
  words: [5n],
  nonce: 3n,
  maxFeePerUnitWei: 1_000n,
};
const RECORD: RecordBody = {
  kind: "verdict",
  datanetId: 20,
  leafId: 20,
  atMs: 1,
  commit: hex32(9n),
  verdict: "approve",
  note: "",
};

const propose = (i = 0, { timeoutMs = 20_000, nonce = 3n } = {}): GroupProposal =>
  makeProposal(members[i]!, {
    subject: operationSubject({ ...OPERATION, nonce }, 0n),
    untilMs: Date.now() + timeoutMs,
  });

function sign(
  i: number,
  proposal: GroupProposal,
  more: Partial<SignProposalOptions> = {},
): Promise<Signature> {
  const session = signProposal({
    member: members[i]!,
    key: keys[i]!,
    proposal,
    mailbox: mailbox(),
    pollMs: POLL_MS,
    ...more,
  });
  session.catch(() => {}); // it may end before a test looks at it
  return session;
}

/** Codes, reasons and names that each session ended with. */
const endings = (sessions: readonly Promise<unknown>[]) =>
  Promise.allSettled(sessions).then((results) =>
    results.map((result) => {
      if (result.status === "fulfilled") return "signed";
      const { code, data } = result.reason as { code: string; data: { reason?: string; members?: Hex[] } };
      return [
        code,
        data.reason,
        data.members?.map((keyX) => keys.findIndex((key) => hex32(key.keyX) === keyX)),
      ];
    }),
  );

const isGroups = (proposal: GroupProposal, signature: Signature) =>
  verifySignature({
    keyX: groupKey(members[0]!.keys).x,
    message: proposalMessage(proposal),
    signature,
  });

describe("a session", () => {
  it("of any two members gives both one signature of the operation that was shown", async () => {
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      const proposal = propose(a);
      const posted = sign(a, proposal);
      const session = proposalSession(proposal);
      let found: GroupProposal | null = null;
      while (found === null)
        found = await findGroupProposal(members[b]!, mailbox(), session).catch(() => null);
      expect(found).toEqual(proposal);
      const [one, other] = await Promise.all([posted, sign(b, found)]);
      expect(other).toEqual(one);
      expect(isGroups(proposal, one)).toBe(true);
    }
  });

  it("of three names two signers, and the third sees the signature, too", async () => {
    const proposal = propose();
    const signatures = await Promise.all([0, 1, 2].map((i) => sign(i, proposal)));
    for (const signature of signatures) expect(signature).toEqual(signatures[0]);
    const values = (await mailbox().read(proposalSession(proposal))) as { step: string }[];
    expect(values.filter(({ step }) => step === "part")).toHaveLength(2);
  });

  it("signs a record that anyone can check", async () => {
    const proposal = makeProposal(members[0]!, {
      subject: { kind: "record", body: RECORD },
      untilMs: Date.now() + 20_000,
    });
    const [signature] = await Promise.all([sign(0, proposal), sign(1, proposal)]);
    const { r8x, r8y, s } = signature!;
    const signed = {
      body: RECORD,
      keyX: groupKeyX(members[0]!.keys),
      signature: { r8x: hex32(r8x), r8y: hex32(r8y), s: hex32(s) },
    };
    expect(checkRecords(DOMAIN, [signed])).toEqual([true]);
    expect(checkRecords(DOMAIN, [{ ...signed, body: { ...RECORD, verdict: "reject" } }])).toEqual([false]);
  });

  it("runs beside others", async () => {
    const proposals = [0, 1, 2, 0].map((i, nonce) => ({ i, proposal: propose(i, { nonce: BigInt(nonce) }) }));
    const signatures = await Promise.all(
      proposals.map(({ i, proposal }) =>
        Promise.all([sign(i, proposal), sign((i + 1) % 3, proposal)]).then(([signature]) => signature!),
      ),
    );
    for (const [i, { proposal }] of proposals.entries())
      expect(isGroups(proposal, signatures[i]!)).toBe(true);
    expect(isGroups(proposals[0]!.proposal, signatures[1]!)).toBe(false);
  });

  it("ends in time, and names who was silent; two others go on in another session", async () => {
    const proposal = propose(0, { timeoutMs: 700 });
    expect(await endings([sign(0, proposal)])).toEqual([["CLI_GROUP_SILENT", undefined, [1, 2]]]);
    expect(await endings([sign(1, proposal)])).toEqual([["CLI_GROUP_INVALID", "over", undefined]]);
    const again = propose(0);
    expect(await endings([sign(0, again), sign(2, again)])).toEqual(["signed", "signed"]);
  });

  it("is joined by one process of a member: the nonces of another are not there", async () => {
    const proposal = propose(0, { timeoutMs: 1_500 });
    const stop = new AbortController();
    const first = sign(1, proposal, { signal: stop.signal });
    await expect.poll(() => mailbox().read(proposalSession(proposal))).toHaveLength(1);
    stop.abort();
    await expect(first).rejects.toThrow("abort");
    expect(await endings([sign(1, proposal)])).toEqual([["CLI_GROUP_INVALID", "begun-before", undefined]]);
  });

  it("gets nothing from a process that slept until its time was over", async () => {
    const proposal = propose(0, { timeoutMs: 700 });
    const rogue = falseMember(0, proposal);
    // What a computer that sleeps does to the member's look into the mailbox.
    const asleep = {
      ...mailbox(),
      read: async (session: Hex) => {
        const values = await mailbox().read(session);
        const isNamed = (values as { step: string }[]).some(({ step }) => step === "signers");
        if (isNamed) await new Promise((resolve) => setTimeout(resolve, 1_000));
        return values;
      },
    };
    const victim = sign(1, proposal, { mailbox: asleep });
    await rogue.post("commit", pointsOf(rogue.nonce.commitment));
    const theirs = await rogue.bodyOf<NonceCommitment>("commit", 1);
    await rogue.post("signers", { signers: [entryOf(0, rogue.nonce.commitment), entryOf(1, theirs)] });
    expect(await endings([victim])).toEqual([["CLI_GROUP_INVALID", "over", undefined]]);
    const values = (await mailbox().read(proposalSession(proposal))) as { step: string }[];
    expect(values.some(({ step }) => step === "part")).toBe(false);
  });

  it("is of the present set, of a member, and of this rollup", () => {
    const proposal = propose();
    const refuse = (change: Partial<GroupProposal>) =>
      expect(() => readProposal(members[1]!, { ...proposal, ...change })).toThrow(
        expect.objectContaining({ code: "CLI_GROUP_INVALID" }),
      );
    refuse({ group: hex32(1n) });
    refuse({ domain: hex32(1n) });
    refuse({ proposer: hex32(1n) });
    refuse({ hash: hex32(1n) } as Partial<GroupProposal>);
    const { subject } = proposal;
    if (subject.kind !== "operation") throw new Error("it is one");
    expect(() =>
      readProposal(members[1]!, {
        ...proposal,
        subject: { ...subject, operation: { ...subject.operation, words: [] } },
      }),
    ).toThrow(expect.objectContaining({ code: "OP_MALFORMED" }));
  });
});

/** A member who follows no rule. */
function falseMember(i: number, proposal: GroupProposal) {
  const session = proposalSession(proposal);
  const member = members[i]!;
  const share = { number: numberOf(member), share: hexToBytes(member.share.reveal()) };
  return {
    nonce: createNonce(share),
    post: (step: GroupStep, body: unknown) =>
      mailbox().post(signMessage(DOMAIN, keys[i]!, { session, step, body })),
    bodyOf: async <T>(step: GroupStep, from: number): Promise<T> => {
      for (;;) {
        const values = (await mailbox().read(session)) as { step: string; from: string; body: T }[];
        const found = values.find((value) => value.step === step && value.from === hex32(keys[from]!.keyX));
        if (found !== undefined) return found.body;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
}
const pointsOf = ({ binding, hiding }: Omit<NonceCommitment, "number">) => ({ hiding, binding });
const entryOf = (i: number, commitment: Omit<NonceCommitment, "number">) => ({
  from: hex32(keys[i]!.keyX),
  ...pointsOf(commitment),
});

describe("a false member", () => {
  it("whose part is wrong, or for another message, is named", async () => {
    for (const spoil of ["wrong", "other"] as const) {
      const proposal = propose(0);
      const session = sign(0, proposal);
      const rogue = falseMember(1, proposal);
      await rogue.post("commit", pointsOf(rogue.nonce.commitment));
      const { signers } = await rogue.bodyOf<{ signers: ({ from: Hex } & NonceCommitment)[] }>("signers", 0);
      const list = signers.map(({ binding, from, hiding }) => ({
        number: numberOf(members[keys.findIndex(({ keyX }) => hex32(keyX) === from)]!),
        hiding,
        binding,
      }));
      const message = spoil === "other" ? 5n : proposalMessage(proposal);
      const part = rogue.nonce.sign(members[1]!.keys, list, message);
      const sent = spoil === "other" ? part : scalars.toBytes(scalars.add(scalars.fromBytes(part), 1n));
      await rogue.post("part", { part: bytesToHex(sent) });
      expect(await endings([session])).toEqual([["CLI_GROUP_FAULT", "part", [1]]]);
    }
  });

  it("whose commitment is an identity, or has a part of low order, is named", async () => {
    const low = babyjubjub.Point.fromAffine({ x: 0n, y: babyjubjub.Point.Fp.ORDER - 1n });
    for (const hiding of [
      "01".padEnd(64, "0"),
      bytesToHex(low.toBytes()),
      bytesToHex(low.add(babyjubjub.Point.BASE).toBytes()),
    ]) {
      const proposal = propose(0);
      const session = sign(0, proposal);
      const rogue = falseMember(1, proposal);
      await rogue.post("commit", { ...pointsOf(rogue.nonce.commitment), hiding });
      expect(await endings([session])).toEqual([["CLI_GROUP_FAULT", "commit", [1]]]);
    }
  });

  it("who commits twice is named", async () => {
    const proposal = propose(0);
    const rogue = falseMember(1, proposal);
    await rogue.post("commit", pointsOf(rogue.nonce.commitment));
    await rogue.post("commit", pointsOf(falseMember(1, proposal).nonce.commitment));
    expect(await endings([sign(0, proposal)])).toEqual([["CLI_GROUP_FAULT", "two-messages", [1]]]);
  });
});

describe("a false proposer", () => {
  it("who lists a commitment that its member did not sign for this session gets no part", async () => {
    const stale = falseMember(1, propose(0)).nonce.commitment;
    const lists = [
      // A commitment of another session in place of the member's own, the same member twice, and one signer alone.
      (own: NonceCommitment, _theirs: NonceCommitment) => [entryOf(0, own), entryOf(1, stale)],
      (own: NonceCommitment, _theirs: NonceCommitment) => [entryOf(0, own), entryOf(0, own)],
      (own: NonceCommitment, theirs: NonceCommitment) => [entryOf(0, theirs), entryOf(1, theirs)],
      (_own: NonceCommitment, theirs: NonceCommitment) => [entryOf(1, theirs)],
    ];
    for (const listOf of lists) {
      const proposal = propose(0);
      const rogue = falseMember(0, proposal);
      const victim = sign(1, proposal);
      await rogue.post("commit", pointsOf(rogue.nonce.commitment));
      const theirs = await rogue.bodyOf<NonceCommitment>("commit", 1);
      await rogue.post("signers", { signers: listOf(rogue.nonce.commitment, theirs) });
      expect(await endings([victim])).toEqual([["CLI_GROUP_FAULT", "signers", [0]]]);
      const values = (await mailbox().read(proposalSession(proposal))) as { step: string }[];
      expect(values.some(({ step }) => step === "part")).toBe(false);
    }
  });

  it("who names signers twice, or shows another message for one commitment, gets one part at most", async () => {
    const proposal = propose(0);
    const rogue = falseMember(0, proposal);
    const victim = sign(1, proposal);
    await rogue.post("commit", pointsOf(rogue.nonce.commitment));
    const theirs = await rogue.bodyOf<NonceCommitment>("commit", 1);
    const signers = [entryOf(0, rogue.nonce.commitment), entryOf(1, theirs)];
    await rogue.post("signers", { signers });
    await rogue.bodyOf("part", 1);
    await rogue.post("signers", { signers: [...signers].reverse() });
    expect(await endings([victim])).toEqual([["CLI_GROUP_FAULT", "two-messages", [0]]]);
    const values = (await mailbox().read(proposalSession(proposal))) as { step: string }[];
    expect(values.filter(({ step }) => step === "part")).toHaveLength(1);
    // Another operation is another session: the commitment is not of it.
    const other = propose(0, { nonce: 4n });
    const second = falseMember(0, other);
    const again = sign(2, other);
    await second.post("commit", pointsOf(second.nonce.commitment));
    await second.bodyOf("commit", 2);
    await second.post("signers", { signers: [entryOf(0, second.nonce.commitment), entryOf(1, theirs)] });
    const [message] = (
      (await mailbox().read(proposalSession(proposal))) as { step: string; from: Hex }[]
    ).filter(({ from, step }) => step === "commit" && from === hex32(keys[1]!.keyX));
    await mailbox().post({ ...message, session: proposalSession(other) } as never);
    await expect(
      Promise.race([again, new Promise((resolve) => setTimeout(resolve, 300, "waits"))]),
    ).resolves.toBe("waits");
  });
});
