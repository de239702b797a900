/**
 * Setup of a group without a dealer, and replacement of its members with the same key. All members take part at once, each in one
 * process: its secrets are in memory until the group stands, so a setup whose process ends begins anew, under another name.
 *
 * 1. Each member publishes a key for sealing; each dealer publishes commitments and the proof that they know their constant.
 * 2. Each dealer seals one share for each member. A member checks every share against its dealer's commitments, and complains of a
 *    wrong one by name: either of the two is at fault, and the setup is over before anyone has used its key.
 * 3. Each member signs the hash of all messages and the group's commitments. Only where all have signed the same does the group
 *    stand: a mailbox or member that shows two members two things is found out.
 *
 * What an attacker may do: stop the setup (and be named, unless they are the mailbox), and bias a few bits of the new key. They
 * cannot know the key with fewer than k members, give a member a share that does not fit, or leave out a member whom the charter
 * has. Where a set is replaced, its k dealers decide: old shares do not fit the new set's, yet k members who kept their old ones
 * can still sign. Against that there is a new key only (SetKey).
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { canonicalJson } from "@openledger/datanets/card/canonical-json";
import { checkMessages } from "@openledger/datanets/records/group-message";
import { taggedMessage } from "@openledger/datanets/records/record";
import { hex32 } from "@openledger/foundation/hex";
import { Secret } from "@openledger/foundation/secret";
import type { Hex } from "viem";
import { z } from "zod";
import type { L2Key } from "../l2-key.ts";
import {
  addDealings,
  addShares,
  type Dealing,
  deal,
  isDealing,
  isShareOf,
  resharedCommitment,
  resharedConstant,
  type SecretDealing,
} from "./dealing.ts";
import { groupInvalid, MAX_MEMBERS, memberNumber } from "./frost-suite.ts";
import {
  type Charter,
  charterSession,
  dealersOf,
  type GroupDocument,
  type GroupMember,
  membersOf,
  numberOf,
  numbersOf,
  pointSchema,
  previousKeys,
  readCharter,
  readMember,
} from "./group-charter.ts";
import { fault, type GroupMailbox, GroupSession } from "./group-messages.ts";
import { createSealKey, type SealKey, sealedSchema, sealKeySchema, sealShare } from "./sealed-share.ts";

export interface SetupOptions {
  /** As the member has read it and agrees to it; its leaves' keys were checked on the ledger. */
  readonly charter: Charter;
  /** The member's ledger key. */
  readonly key: Pick<L2Key, "keyX" | "sign">;
  readonly mailbox: GroupMailbox;
  /** The member's share of the set that is replaced, if they deal. */
  readonly old?: GroupMember;
  /**
   * Called with the share before this member confirms: store it, as the others may finish at once. It holds nothing until the
   * setup returns.
   */
  readonly onShare?: (member: GroupMember) => void | Promise<void>;
  readonly pollMs?: number;
  readonly signal?: AbortSignal;
}

const openSchema = z.strictObject({
  sealKey: sealKeySchema.nullable(),
  dealing: z
    .strictObject({
      commitment: z.array(pointSchema).max(MAX_MEMBERS),
      proof: z.string().regex(/^[0-9a-f]{128}$/),
    })
    .nullable(),
});
type Opening = z.output<typeof openSchema>;
const sharesSchema = z.strictObject({
  shares: z.array(z.strictObject({ to: z.string(), sealed: sealedSchema })).max(MAX_MEMBERS),
});

/**
 * Takes part in a setup until the group stands. Returns null for a dealer who is no member of the new set.
 * @throws CLI_GROUP_INVALID, CLI_GROUP_FAULT, CLI_GROUP_SILENT
 */
export async function setUpGroup(options: SetupOptions): Promise<GroupMember | null> {
  const { key, mailbox, onShare, pollMs, signal } = options;
  const domain = BigInt(options.charter.domain);
  const charter = readCharter(domain, options.charter);
  const session = charterSession(charter);
  const [members, dealers] = [membersOf(charter), dealersOf(charter)];
  const everyone = [...new Set([...members, ...dealers])];
  const { untilMs } = charter;
  const talk = new GroupSession({
    domain,
    session,
    members: everyone,
    key,
    mailbox,
    untilMs,
    pollMs,
    signal,
  });
  const { keyX } = talk;
  if (!everyone.includes(keyX)) throw groupInvalid("no-member", "the charter does not name this key");
  await talk.begin("open");
  const dealt = dealers.includes(keyX) ? dealAs(keyX, charter, options.old) : null;
  try {
    const sealKey = members.includes(keyX) ? await createSealKey() : null;
    await talk.post("open", { sealKey: sealKey?.publicKey ?? null, dealing: dealt?.dealing ?? null });
    const opened = await talk.collect("open", everyone, openSchema);
    const dealings = checkOpenings(charter, opened);
    if (dealt !== null) await talk.post("shares", { shares: await sealAll(charter, keyX, dealt, opened) });
    const sent = await talk.collect("shares", dealers, sharesSchema);
    const share = sealKey === null ? null : await openAll({ charter, talk, sealKey, dealings, sent });
    const keys = addDealings([...dealings.values()], numbersOf(charter));
    const commitments = keys.commitments.map((point) => bytesToHex(point));
    if (charter.previous !== null && commitments[0] !== charter.previous.commitments[0])
      throw groupInvalid("key-changed", "the dealings do not add up to the group's key");
    const everything = { session, open: [...opened], shares: [...sent] };
    const transcript = hex32(taggedMessage("OpenLedger group transcript v1", domain, everything));
    const group: GroupDocument = { charter, commitments, transcript, confirmations: [] };
    const own = { group, keys, keyX, share: new Secret(bytesToHex(share ?? new Uint8Array())) };
    if (share !== null) {
      if (!isShareOf(commitments, { number: numberOf(own), share }))
        throw groupInvalid("share-wrong", "the sum of the shares does not fit the group");
      await onShare?.(own);
      await talk.post("confirm", { transcript, commitments });
    }
    const agreed = canonicalJson({ transcript, commitments });
    const silent = () => members.filter((from) => talk.saidBy("confirm", from) === undefined);
    await talk.waitUntil(
      () => {
        const others = members.filter((from) => {
          const said = talk.saidBy("confirm", from);
          return said !== undefined && canonicalJson(said.body) !== agreed;
        });
        // They, or the mailbox: somebody was shown other messages than this member.
        if (others.length > 0) throw fault("transcript", others);
        return silent().length === 0;
      },
      "confirm",
      silent,
    );
    const confirmations = members.map((from) => ({
      from,
      signature: talk.saidBy("confirm", from)!.signature,
    }));
    return share === null ? null : { ...own, group: { ...group, confirmations } };
  } finally {
    dealt?.erase();
  }
}

/**
 * The member whose share was stored before it was confirmed, once the mailbox has everybody's confirmation: a process may end
 * between the two. @param unconfirmed as `writeMember` wrote it
 * @throws CLI_GROUP_INVALID while a confirmation is missing
 */
export async function completeSetup(
  domain: bigint,
  unconfirmed: unknown,
  mailbox: GroupMailbox,
): Promise<GroupMember> {
  const { group, ...rest } = unconfirmed as { group: GroupDocument };
  const session = charterSession(readCharter(domain, group.charter));
  const agreed = canonicalJson({ transcript: group.transcript, commitments: group.commitments });
  const confirmations = checkMessages(domain, await mailbox.read(session))
    .filter(
      ({ body, session: named, step }) =>
        named === session && step === "confirm" && canonicalJson(body) === agreed,
    )
    .map(({ from, signature }) => ({ from, signature }))
    .filter(({ from }) => membersOf(group.charter).includes(from));
  return readMember(domain, { ...rest, group: { ...group, confirmations } });
}

function dealAs(keyX: Hex, charter: Charter, old: GroupMember | undefined): SecretDealing {
  const number = memberNumber(charterSession(charter), keyX);
  const { previous, threshold } = charter;
  if (previous === null) return deal(number, threshold);
  if (old === undefined || old.keyX !== keyX)
    throw groupInvalid(
      "no-share",
      "the charter names this key as a dealer, who needs their share of the old set",
    );
  const isSame =
    charterSession(old.group.charter) === previous.session &&
    old.group.commitments.join() === previous.commitments.join() &&
    membersOf(old.group.charter).join() === previous.members.join();
  if (!isSame)
    throw groupInvalid("other-group", "the charter replaces another set than the one of this share");
  const dealers = previous.dealers.map((dealer) => memberNumber(previous.session, dealer));
  const share = { number: numberOf(old), share: hexToBytes(old.share.reveal()) };
  return deal(number, threshold, resharedConstant(share, dealers));
}

/** The dealings, checked: anyone finds the same one wrong. @throws CLI_GROUP_FAULT */
function checkOpenings(charter: Charter, opened: ReadonlyMap<Hex, Opening>): Map<Hex, Dealing> {
  const session = charterSession(charter);
  const [members, dealers] = [membersOf(charter), dealersOf(charter)];
  for (const [member, { dealing, sealKey }] of opened) {
    if ((sealKey !== null) !== members.includes(member)) throw fault("open-malformed", [member]);
    if ((dealing !== null) !== dealers.includes(member)) throw fault("open-malformed", [member]);
  }
  const { previous } = charter;
  const oldKeys = previous && previousKeys(previous);
  const oldNumbers = previous && dealers.map((keyX) => memberNumber(previous.session, keyX));
  return new Map(
    dealers.map((dealer, i) => {
      const dealing = opened.get(dealer)!.dealing!;
      if (!isDealing(memberNumber(session, dealer), charter.threshold, dealing))
        throw fault("dealing", [dealer]);
      if (
        oldKeys !== null &&
        oldNumbers !== null &&
        dealing.commitment[0] !== resharedCommitment(oldKeys, oldNumbers[i]!, oldNumbers)
      )
        throw fault("dealing", [dealer]);
      return [dealer, dealing];
    }),
  );
}

async function sealAll(
  charter: Charter,
  from: Hex,
  dealt: SecretDealing,
  opened: ReadonlyMap<Hex, Opening>,
): Promise<z.input<typeof sharesSchema>["shares"]> {
  const session = charterSession(charter);
  return Promise.all(
    membersOf(charter).map(async (to) => {
      const { sealKey } = opened.get(to)!;
      const share = dealt.shareFor(memberNumber(session, to));
      try {
        return { to, sealed: await sealShare(sealKey!, share, { session, from, to }) };
      } catch {
        throw fault("seal-key", [to]);
      } finally {
        share.fill(0);
      }
    }),
  );
}

interface Dealt {
  readonly charter: Charter;
  readonly talk: GroupSession;
  readonly sealKey: SealKey;
  readonly dealings: ReadonlyMap<Hex, Dealing>;
  readonly sent: ReadonlyMap<Hex, z.output<typeof sharesSchema>>;
}

/** The member's share: the sum of what each dealer dealt to them, each checked. @throws CLI_GROUP_FAULT after a complaint */
async function openAll({ charter, dealings, sealKey, sent, talk }: Dealt): Promise<Uint8Array> {
  const session = charterSession(charter);
  const number = memberNumber(session, talk.keyX);
  const members = membersOf(charter);
  const shares: Uint8Array[] = [];
  for (const [dealer, { shares: all }] of sent) {
    if (all.map(({ to }) => to).join() !== members.join()) throw fault("shares-malformed", [dealer]);
    const { sealed } = all[members.indexOf(talk.keyX)]!;
    const share = await sealKey.open(sealed, { session, from: dealer, to: talk.keyX }).catch(() => null);
    if (share === null || !isShareOf(dealings.get(dealer)!.commitment, { number, share }))
      return talk.complain(dealer, "share");
    shares.push(share);
  }
  const sum = addShares(shares);
  for (const share of shares) share.fill(0);
  return sum;
}
