/** Tests of a group's setup and replacement: all members in one process each, over a folder, and what a false member gets. */

import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { babyjubjub } from "@noble/curves/misc.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { isUsableKey, verifySignature } from "@openledger/circuits/field/curve/eddsa";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { signMessage } from "@openledger/datanets/records/group-message";
import { hex32 } from "@openledger/foundation/hex";
import type { Hex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRandomKey, type L2Key } from "../l2-key.ts";
import { type Dealing, deal } from "./dealing.ts";
import { folderMailbox } from "./folder-mailbox.ts";
import { frost, groupKey, memberNumber, readPoint, scalars } from "./frost-suite.ts";
import {
  type Charter,
  charterSession,
  drawSalt,
  type GroupMember,
  numberOf,
  previousOf,
  readCharter,
  readGroup,
  readMember,
  writeMember,
} from "./group-charter.ts";
import type { GroupMailbox } from "./group-messages.ts";
import { type SetupOptions, setUpGroup } from "./group-setup.ts";
import { createSealKey, sealShare } from "./sealed-share.ts";
import { addParts, createNonce } from "./signing-part.ts";

const DOMAIN = 77n;
const POLL_MS = 5;
let keys: L2Key[] = [];
let folder: string;
beforeAll(async () => {
  await initPoseidon();
  keys = await Promise.all(Array.from({ length: 6 }, createRandomKey));
  folder = await mkdtemp(join(tmpdir(), "groups-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function charterOf(members: readonly L2Key[], threshold: number, more: Partial<Charter> = {}): Charter {
  return {
    format: "openledger.group.v1",
    domain: hex32(DOMAIN),
    name: "Village weather",
    threshold,
    members: members.map(({ keyX }, i) => ({ leafId: 10 + i, keyX: hex32(keyX) })),
    untilMs: Date.now() + 60_000,
    salt: drawSalt(),
    previous: null,
    ...more,
  };
}

function takePart(charter: Charter, key: L2Key, more: Partial<SetupOptions> = {}) {
  const setup = setUpGroup({ charter, key, mailbox: folderMailbox(folder), pollMs: POLL_MS, ...more });
  setup.catch(() => {}); // it may end before a test looks at it
  return setup;
}

async function found(members: readonly L2Key[], threshold: number): Promise<GroupMember[]> {
  const charter = charterOf(members, threshold);
  return (await Promise.all(members.map((key) => takePart(charter, key)))).map((member) => member!);
}

function sign(members: readonly GroupMember[], message: bigint) {
  const shares = members.map((member) => ({
    number: numberOf(member),
    share: hexToBytes(member.share.reveal()),
  }));
  const nonces = shares.map(createNonce);
  const list = nonces.map(({ commitment }) => commitment);
  const group = members[0]!.keys;
  const parts = new Map(nonces.map((nonce, i) => [shares[i]!.number, nonce.sign(group, list, message)]));
  return addParts(group, list, message, parts);
}

/** The codes, reasons and names that each setup ended with. */
const endings = (setups: readonly Promise<unknown>[]) =>
  Promise.allSettled(setups).then((results) =>
    results.map((result) => {
      if (result.status === "fulfilled") return "stands";
      const { code, data } = result.reason as { code: string; data: { reason?: string; members?: Hex[] } };
      const named = data.members?.map((keyX) => keys.findIndex((key) => hex32(key.keyX) === keyX));
      return [code, data.reason, named];
    }),
  );

describe("a setup", () => {
  it("makes one group, whose any k members sign, and which anyone can check", async () => {
    const members = await found(keys.slice(0, 3), 2);
    const [first] = members;
    const key = groupKey(first!.keys);
    expect(isUsableKey(key)).toBe(true);
    for (const { group } of members) expect(group).toEqual(first!.group);
    for (const pair of [
      [0, 1],
      [1, 2],
      [2, 0],
    ]) {
      const signature = sign(
        pair.map((i) => members[i]!),
        5n,
      );
      expect(verifySignature({ keyX: key.x, message: 5n, signature })).toBe(true);
    }
    for (const member of members) {
      const read = readMember(DOMAIN, JSON.parse(JSON.stringify(writeMember(member))));
      expect(read.share.reveal()).toBe(member.share.reveal());
      expect(readGroup(DOMAIN, read.group).keys).toEqual(first!.keys);
    }
    // No file of the folder has a share in clear.
    const session = charterSession(first!.group.charter);
    const files = await readdir(join(folder, session.slice(2)));
    const texts = await Promise.all(
      files.map((name) => readFile(join(folder, session.slice(2), name), "utf8")),
    );
    expect(texts).toHaveLength(9);
    for (const { share } of members) expect(texts.join()).not.toContain(share.reveal());
  });

  it("is refused when read with a confirmation less, changed commitments, or another's share", async () => {
    const [one, two] = await found(keys.slice(0, 2), 2);
    const { group } = one!;
    const refusal = (code: string) =>
      expect.objectContaining({ code: "CLI_GROUP_INVALID", data: expect.objectContaining({ reason: code }) });
    expect(() => readGroup(DOMAIN, { ...group, confirmations: group.confirmations.slice(1) })).toThrow(
      refusal("unconfirmed"),
    );
    const commitments = [group.commitments[1]!, group.commitments[0]!];
    expect(() => readGroup(DOMAIN, { ...group, commitments })).toThrow(refusal("unconfirmed"));
    expect(() => readGroup(DOMAIN + 1n, group)).toThrow(refusal("other-rollup"));
    expect(() => readMember(DOMAIN, { ...writeMember(one!), share: two!.share.reveal() })).toThrow(
      refusal("share-wrong"),
    );
    expect(() => readMember(DOMAIN, { ...writeMember(one!), keyX: hex32(keys[5]!.keyX) })).toThrow(
      refusal("no-member"),
    );
  });

  it("names the silent member when its time is over", async () => {
    const charter = charterOf(keys.slice(0, 3), 2, { untilMs: Date.now() + 1_500 });
    const late = await endings([takePart(charter, keys[0]!), takePart(charter, keys[1]!)]);
    expect(late).toEqual([
      ["CLI_GROUP_SILENT", undefined, [2]],
      ["CLI_GROUP_SILENT", undefined, [2]],
    ]);
  });

  it("is not joined twice by one member: the first process's secrets are not the second's", async () => {
    const charter = charterOf(keys.slice(0, 2), 2, { untilMs: Date.now() + 1_500 });
    await endings([takePart(charter, keys[0]!)]);
    const again = charterOf(keys.slice(0, 2), 2);
    const stop = new AbortController();
    const first = takePart(again, keys[0]!, { signal: stop.signal });
    // Read as a member does: a file that is still being written is no message.
    await expect.poll(() => folderMailbox(folder).read(charterSession(again))).toHaveLength(1);
    expect(await endings([takePart(again, keys[0]!)])).toEqual([
      ["CLI_GROUP_INVALID", "begun-before", undefined],
    ]);
    stop.abort();
    await expect(first).rejects.toThrow("abort");
  });

  it("takes no charter with a member twice, of other bounds, or that leaves the reader out", async () => {
    const reasonOf = (charter: Charter) => {
      try {
        readCharter(DOMAIN, charter);
        return null;
      } catch (error) {
        return (error as { data: { reason: string } }).data.reason;
      }
    };
    const [a, b] = keys;
    expect(reasonOf(charterOf([a!, b!], 2))).toBe(null);
    expect(reasonOf(charterOf([a!, a!], 2))).toBe("member-twice");
    expect(reasonOf(charterOf([a!, b!], 1))).toBe("bounds");
    expect(reasonOf(charterOf([a!, b!], 3))).toBe("bounds");
    expect(reasonOf(charterOf([a!, b!], 2, { domain: hex32(1n) }))).toBe("other-rollup");
    expect(reasonOf(charterOf([a!, b!], 2, { name: "\u202e" }))).toBe("charter-malformed");
    expect(await endings([takePart(charterOf([a!, b!], 2), keys[2]!)])).toEqual([
      ["CLI_GROUP_INVALID", "no-member", undefined],
    ]);
  });
});

/** A member who follows no rule: posts what a test gives, signed with their own key. */
function falseMember(charter: Charter, key: L2Key, mailbox: GroupMailbox = folderMailbox(folder)) {
  const session = charterSession(charter);
  const number = memberNumber(session, hex32(key.keyX));
  const secret = deal(number, charter.threshold);
  return {
    secret,
    number,
    post: (step: Parameters<typeof signMessage>[2]["step"], body: unknown) =>
      mailbox.post(signMessage(DOMAIN, key, { session, step, body })),
    sealKeysOf: async (members: readonly L2Key[]) => {
      const sealKeys = new Map<string, string>();
      while (sealKeys.size < members.length) {
        for (const value of await mailbox.read(session)) {
          const { body, from, step } = value as { body: { sealKey: string }; from: string; step: string };
          if (step === "open") sealKeys.set(from, body.sealKey);
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return sealKeys;
    },
  };
}

describe("a false member of a setup", () => {
  const openOf = async (dealing: Dealing) => ({ sealKey: (await createSealKey()).publicKey, dealing });

  it("who cancels another's constant is named by all", async () => {
    const charter = charterOf(keys.slice(0, 3), 2);
    const setups = keys.slice(0, 2).map((key) => takePart(charter, key));
    const rogue = falseMember(charter, keys[2]!);
    const session = charterSession(charter);
    const box = folderMailbox(folder);
    let theirs: string[] = [];
    while (theirs.length < 2) {
      const values = (await box.read(session)) as { body: { dealing: Dealing } }[];
      theirs = values.map(({ body }) => body.dealing.commitment[0]!);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const own = rogue.secret.dealing;
    const wanted = readPoint(hexToBytes(own.commitment[0]!));
    const cancelled = theirs.reduce((sum, point) => sum.subtract(readPoint(hexToBytes(point))), wanted);
    const commitment = [bytesToHex(cancelled.toBytes()), own.commitment[1]!];
    await rogue.post("open", await openOf({ commitment, proof: own.proof }));
    expect(await endings(setups)).toEqual([
      ["CLI_GROUP_FAULT", "dealing", [2]],
      ["CLI_GROUP_FAULT", "dealing", [2]],
    ]);
  });

  it.each([
    ["an identity", "01".padEnd(64, "0")],
    [
      "a point of order 2",
      bytesToHex(babyjubjub.Point.fromAffine({ x: 0n, y: babyjubjub.Point.Fp.ORDER - 1n }).toBytes()),
    ],
    ["no point", "ff".repeat(32)],
  ])("who commits to %s is named", async (_, point) => {
    const charter = charterOf(keys.slice(0, 2), 2);
    const setup = takePart(charter, keys[0]!);
    const rogue = falseMember(charter, keys[1]!);
    const { commitment, proof } = rogue.secret.dealing;
    await rogue.post("open", await openOf({ commitment: [commitment[0]!, point], proof }));
    expect(await endings([setup])).toEqual([["CLI_GROUP_FAULT", "dealing", [1]]]);
  });

  it("who uses the dealing of another setup is named", async () => {
    const other = charterOf(keys.slice(0, 2), 2);
    const charter = charterOf(keys.slice(0, 2), 2);
    const setup = takePart(charter, keys[0]!);
    const rogue = falseMember(charter, keys[1]!);
    await rogue.post("open", await openOf(falseMember(other, keys[1]!).secret.dealing));
    expect(await endings([setup])).toEqual([["CLI_GROUP_FAULT", "dealing", [1]]]);
  });

  it("who deals a wrong share is named by a complaint, and so are both in the others' views", async () => {
    const charter = charterOf(keys.slice(0, 3), 2);
    const setups = keys.slice(0, 2).map((key) => takePart(charter, key));
    const rogue = falseMember(charter, keys[2]!);
    await rogue.post("open", await openOf(rogue.secret.dealing));
    const sealKeys = await rogue.sealKeysOf(keys.slice(0, 3));
    const session = charterSession(charter);
    const from = hex32(keys[2]!.keyX);
    const shares = await Promise.all(
      charter.members.map(async ({ keyX: to }, i) => {
        const right = rogue.secret.shareFor(memberNumber(session, to));
        const share = i === 0 ? scalars.toBytes(scalars.add(scalars.fromBytes(right), 1n)) : right;
        return { to, sealed: await sealShare(sealKeys.get(to)!, share, { session, from, to }) };
      }),
    );
    await rogue.post("shares", { shares });
    expect(await endings(setups)).toEqual([
      ["CLI_GROUP_FAULT", "share", [2]],
      ["CLI_GROUP_FAULT", "share", [2]],
    ]);
  });

  it("who shows two members two things is named", async () => {
    const charter = charterOf(keys.slice(0, 2), 2);
    const setup = takePart(charter, keys[0]!);
    const rogue = falseMember(charter, keys[1]!);
    await rogue.post("open", await openOf(rogue.secret.dealing));
    await rogue.post("open", await openOf(rogue.secret.dealing));
    expect(await endings([setup])).toEqual([["CLI_GROUP_FAULT", "two-messages", [1]]]);
  });

  it("who splits the mailbox, too, is found out before the group stands", async () => {
    const charter = charterOf(keys.slice(0, 3), 2);
    const session = charterSession(charter);
    const parts = await Promise.all(["a", "b"].map((name) => mkdtemp(join(tmpdir(), `split-${name}-`))));
    const boxes = parts.map((part) => folderMailbox(part));
    // Each honest member sees the other's messages, and another dealing of the third member.
    const split = (own: number): GroupMailbox => ({
      post: async (message) => void (await Promise.all(boxes.map((box) => box.post(message)))),
      read: (name) => boxes[own]!.read(name),
    });
    const setups = keys.slice(0, 2).map((key, i) => takePart(charter, key, { mailbox: split(i) }));
    for (const box of boxes) {
      const rogue = falseMember(charter, keys[2]!, box);
      await rogue.post("open", await openOf(rogue.secret.dealing));
      const sealKeys = await rogue.sealKeysOf(keys.slice(0, 3));
      const from = hex32(keys[2]!.keyX);
      const shares = await Promise.all(
        charter.members.map(async ({ keyX: to }) => {
          const share = rogue.secret.shareFor(memberNumber(session, to));
          return { to, sealed: await sealShare(sealKeys.get(to)!, share, { session, from, to }) };
        }),
      );
      await rogue.post("shares", { shares });
    }
    expect(await endings(setups)).toEqual([
      ["CLI_GROUP_FAULT", "transcript", [1]],
      ["CLI_GROUP_FAULT", "transcript", [0]],
    ]);
    await Promise.all(parts.map((part) => rm(part, { recursive: true })));
  });

  it("who is no member, or writes junk, changes nothing", async () => {
    const charter = charterOf(keys.slice(0, 2), 2);
    const session = charterSession(charter);
    const stranger = falseMember(charter, keys[4]!);
    await stranger.post("open", await openOf(stranger.secret.dealing));
    await stranger.post("complaint", { against: hex32(keys[0]!.keyX), reason: "share" });
    const place = join(folder, session.slice(2));
    await writeFile(join(place, `${"0".repeat(64)}.json`), "{");
    await writeFile(
      join(place, `${"1".repeat(64)}.json`),
      JSON.stringify({ session, step: "open", body: 1.5 }),
    );
    await writeFile(join(place, `${"2".repeat(64)}.json`), `"${"x".repeat(70_000)}"`);
    await writeFile(join(place, `${"3".repeat(64)}.json`), "[".repeat(30_000) + "]".repeat(30_000));
    const posing = {
      session,
      step: "open",
      from: hex32(keys[0]!.keyX),
      signature: { r8x: "0x1", r8y: "0x1", s: "0x1" },
    };
    const deep = JSON.stringify({ ...posing, body: 0 }).replace(
      ":0}",
      `:${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
    );
    await writeFile(join(place, `${"4".repeat(64)}.json`), deep);
    // A pipe that nobody writes to, and a link to a device that never ends.
    await promisify(execFile)("mkfifo", [join(place, `${"5".repeat(64)}.json`)]);
    await symlink("/dev/zero", join(place, `${"6".repeat(64)}.json`));
    const forged = signMessage(DOMAIN, keys[4]!, { session, step: "open", body: {} });
    await folderMailbox(folder).post({ ...forged, from: hex32(keys[0]!.keyX) });
    expect(await endings(keys.slice(0, 2).map((key) => takePart(charter, key)))).toEqual([
      "stands",
      "stands",
    ]);
  });
});

describe("a session's time", () => {
  it("is seven days at most", async () => {
    const untilMs = Date.now() + 8 * 86_400_000;
    expect(await endings([takePart(charterOf(keys.slice(0, 2), 2, { untilMs }), keys[0]!)])).toEqual([
      ["CLI_GROUP_INVALID", "too-long", undefined],
    ]);
  });
});

it("a complaint's reason is a word, not orders for a terminal", async () => {
  const charter = charterOf(keys.slice(0, 2), 2);
  const setup = takePart(charter, keys[0]!);
  const reason = "share\n\u202efine, go on";
  await falseMember(charter, keys[1]!).post("complaint", { against: hex32(keys[0]!.keyX), reason });
  expect(await endings([setup])).toEqual([["CLI_GROUP_FAULT", "complaint-malformed", [1]]]);
});

describe("a replacement", () => {
  it("of another group's key is none, though all its members have signed that", async () => {
    const [one] = await found(keys.slice(0, 2), 2);
    const [other] = await found(keys.slice(0, 2), 2);
    const previous = previousOf(one!.group, [hex32(keys[0]!.keyX), hex32(keys[1]!.keyX)]);
    const charter = { ...other!.group.charter, previous };
    const { commitments, transcript } = other!.group;
    const session = charterSession(charter);
    const confirmations = keys.slice(0, 2).map((key) => {
      const body = { transcript, commitments };
      const { from, signature } = signMessage(DOMAIN, key, { session, step: "confirm", body });
      return { from, signature };
    });
    expect(() => readGroup(DOMAIN, { charter, commitments, transcript, confirmations })).toThrow(
      expect.objectContaining({ data: { reason: "key-changed" } }),
    );
  });

  it("gives a new set the same key: a lost share's member leaves, another one comes", async () => {
    const old = await found(keys.slice(0, 3), 2);
    const [a, b] = old;
    const { x: keyX } = groupKey(a!.keys);
    const dealers = [a!.keyX, b!.keyX];
    const members = [keys[0]!, keys[1]!, keys[3]!, keys[4]!];
    const charter = charterOf(members, 3, { previous: previousOf(a!.group, dealers) });
    const made = await Promise.all(
      members.map((key, i) => takePart(charter, key, i < 2 ? { old: old[i]! } : {})),
    );
    const fresh = made.map((member) => member!);
    expect(groupKey(fresh[0]!.keys).x).toBe(keyX);
    const signature = sign([fresh[1]!, fresh[2]!, fresh[3]!], 9n);
    expect(verifySignature({ keyX, message: 9n, signature })).toBe(true);
    expect(readGroup(DOMAIN, fresh[0]!.group).group.charter.threshold).toBe(3);
    // An old share fits nothing of the new set, and a mixture of both sets is no key.
    const reveal = (member: GroupMember, number: string) => ({
      identifier: number,
      signingShare: hexToBytes(member.share.reveal()),
    });
    const bounds = { min: 3, max: 3 };
    const mixed = [
      reveal(fresh[0]!, numberOf(fresh[0]!)),
      reveal(fresh[1]!, numberOf(fresh[1]!)),
      reveal(old[2]!, numberOf(old[2]!)),
    ];
    const right = [0, 1, 2].map((i) => reveal(fresh[i]!, numberOf(fresh[i]!)));
    const keyOf = (shares: typeof right) =>
      babyjubjub.Point.BASE.multiply(scalars.fromBytes(frost.combineSecret(shares, bounds))).toAffine().x;
    expect(keyOf(right)).toBe(keyX);
    expect(keyOf(mixed)).not.toBe(keyX);
  });

  it("lets a dealer leave, who gets no share", async () => {
    const old = await found(keys.slice(0, 2), 2);
    const charter = charterOf([keys[0]!, keys[2]!], 2, {
      previous: previousOf(old[0]!.group, [old[0]!.keyX, old[1]!.keyX]),
    });
    const [stays, leaves, comes] = await Promise.all([
      takePart(charter, keys[0]!, { old: old[0]! }),
      takePart(charter, keys[1]!, { old: old[1]! }),
      takePart(charter, keys[2]!),
    ]);
    expect(leaves).toBe(null);
    const { x: keyX } = groupKey(old[0]!.keys);
    expect(verifySignature({ keyX, message: 3n, signature: sign([stays!, comes!], 3n) })).toBe(true);
  });

  it("names a dealer who deals another constant than their share, and refuses another set's share", async () => {
    const old = await found(keys.slice(0, 2), 2);
    const other = await found(keys.slice(0, 2), 2);
    const charter = charterOf([keys[0]!, keys[1]!], 2, {
      previous: previousOf(old[0]!.group, [old[0]!.keyX, old[1]!.keyX]),
    });
    expect(
      await endings([takePart(charter, keys[0]!, { old: other[0]! }), takePart(charter, keys[0]!)]),
    ).toEqual([
      ["CLI_GROUP_INVALID", "other-group", undefined],
      ["CLI_GROUP_INVALID", "no-share", undefined],
    ]);
    const setup = takePart(charter, keys[0]!, { old: old[0]! });
    const rogue = falseMember(charter, keys[1]!);
    const { publicKey: sealKey } = await createSealKey();
    await rogue.post("open", { sealKey, dealing: rogue.secret.dealing });
    expect(await endings([setup])).toEqual([["CLI_GROUP_FAULT", "dealing", [1]]]);
  });

  it("needs as many dealers as sign, all of the old set", async () => {
    const old = await found(keys.slice(0, 3), 2);
    const [a, b, c] = old.map(({ keyX }) => keyX);
    const refuse = (dealers: Hex[]) =>
      expect(() => previousOf(old[0]!.group, dealers)).toThrow(
        expect.objectContaining({ code: "CLI_GROUP_INVALID" }),
      );
    refuse([a!]);
    refuse([a!, a!]);
    refuse([a!, b!, c!]);
    refuse([a!, hex32(keys[5]!.keyX)]);
  });
});
