/**
 * `openledger group`, experimental: k of n members own a leaf's key together. Found or join a group, sign what another member
 * proposes, replace members. To propose, a member uses any command that signs for the group's leaf.
 */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { toHexSignature } from "@openledger/circuits/wire/hex-signature";
import { clientError } from "@openledger/client/client-errors";
import { describeCharter, describeProposal } from "@openledger/client/groups/describe";
import {
  type Charter,
  charterSession,
  dealersOf,
  drawSalt,
  type GroupMember,
  groupKeyX,
  membersOf,
  previousOf,
  readCharter,
} from "@openledger/client/groups/group-charter";
import { checkProposal, cosign } from "@openledger/client/groups/group-client";
import type { ListingMailbox } from "@openledger/client/groups/group-messages";
import {
  findGroupProposal,
  type GroupProposal,
  proposalSession,
} from "@openledger/client/groups/group-proposal";
import { setUpGroup } from "@openledger/client/groups/group-setup";
import { findCharter } from "@openledger/client/groups/host-mailbox";
import { findLeaves, getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { signMessage } from "@openledger/datanets/records/group-message";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import type { Command } from "commander";
import type { Hex } from "viem";
import { commandError } from "../../cli/cli-errors.ts";
import {
  type GlobalOptions,
  knownDatanetHost,
  openSigner,
  resolveLeaf,
  type Signer,
} from "../../cli/context.ts";
import {
  deleteShare,
  importShare,
  isUrl,
  mailboxAt,
  type StoredMember,
  storedMembers,
  storeMember,
  storeUnconfirmed,
} from "../../cli/member-files.ts";
import { defineOptions, type OptionsOf } from "../../cli/options.ts";
import type { Output } from "../../cli/output.ts";
import { command, withExample } from "../../cli/run-command.ts";
import { ANY_HOST_OPTION } from "../datanet/host-options.ts";

export function addGroupCommands(program: Command): void {
  const group = program
    .command("group")
    .description(
      "experimental: own a key with others, of whom a number must sign (docs/how-to/own-together.md)",
    );
  withExample(group, "group status --account alice");
  addFound(group);
  addJoin(group);
  addStatus(group);
  addSign(group);
  addReplace(group);
  addImport(group);
}

const MEMBER_OPTIONS = defineOptions({
  "--members <leaves...>": { about: "accounts of all members: ids, names or addresses", isRequired: true },
  "--threshold <count>": { about: "members who sign together", isRequired: true },
  "--minutes <count>": { about: "time that the members have to join", fallback: "60" },
});
const MAILBOX_OPTION = defineOptions({
  ...ANY_HOST_OPTION,
  "--folder <path>": "folder that all members share for their messages, in place of a host",
});
type MailboxOptions = OptionsOf<typeof MAILBOX_OPTION>;

/** Place of a group's messages: an absolute path, or a host's URL. @throws CMD_USAGE */
function placeOf({ folder, host = knownDatanetHost() }: MailboxOptions): string {
  if (folder !== undefined) return resolve(folder);
  if (host === undefined)
    throw commandError("CMD_USAGE", "name a Datanet host, or a folder, for the members' messages");
  return host;
}

type MemberOptions = OptionsOf<typeof MEMBER_OPTIONS>;

const addFound = command({
  usage: "found <name>",
  about: "found a group, and wait until all members have joined; nobody ever has its whole key",
  options: { ...MEMBER_OPTIONS, ...MAILBOX_OPTION },
  examples: ["group found weather --members alice bob carol --threshold 2 --account alice"],
  run: async ({ args, options, output }) => {
    const signer = await openSigner(options);
    const charter = await makeCharter(signer, options, { name: args[0]!, previous: null });
    const place = placeOf(options);
    await invite(signer, charter, place, output);
    await takePart(signer, charter, place, output);
  },
});

const addJoin = command({
  usage: "join <charter>",
  about:
    "join a group, or a replacement of its members, by the name or file of its charter; waits for the others",
  options: {
    ...MAILBOX_OPTION,
    "--deal": { about: "deal your share of the old set out to the members that the charter names" },
  },
  examples: [
    "group join 0x1f2e… --host http://127.0.0.1:8560 --account bob",
    "group join ~/shared/charters/1f2e.json --folder ~/shared --account bob",
  ],
  run: async ({ args, options, output }) => {
    const signer = await openSigner(options);
    const place = placeOf(options);
    const charter = await findInvitation(signer, args[0]!, place);
    for (const { keyX, leafId } of charter.members)
      if (hex32((await getLeaf(signer.client, leafId)).keyX) !== keyX)
        throw clientError("CLI_GROUP_INVALID", `leaf ${leafId} has another key than the charter says`, {
          data: { reason: "member-key" },
        });
    for (const line of describeCharter(charter)) output.note(line);
    const isDealer = charter.previous !== null && dealersOf(charter).includes(hex32(signer.key.keyX));
    // The members of a charter get what its dealers deal: who joins by habit would give the old key away.
    if (isDealer && options.deal !== true)
      throw clientError(
        "CLI_GROUP_INVALID",
        `this gives your share of the key to a new set: ${describeCharter(charter).join("; ")}. If you agree, add --deal`,
        { data: { reason: "deal" } },
      );
    await takePart(signer, charter, place, output);
  },
});

const addReplace = command({
  usage: "replace <name>",
  about: "give the group's key to a new set of members; as many old ones as sign deal their shares out",
  options: {
    ...MEMBER_OPTIONS,
    ...MAILBOX_OPTION,
    "--dealers <leaves...>": {
      about: "old members who deal: exactly as many as sign for the old set",
      isRequired: true,
    },
  },
  examples: [
    "group replace weather --dealers alice bob --members alice bob dan --threshold 2 --account alice",
  ],
  run: async ({ args, options, output }) => {
    const signer = await openSigner(options);
    const { member } = await ownGroup(signer, args[0]!);
    const dealers = await keysOf(signer, options, options.dealers);
    const previous = previousOf(
      member.group,
      dealers.map(({ keyX }) => keyX),
    );
    const charter = await makeCharter(signer, options, { name: member.group.charter.name, previous });
    const place = placeOf(options);
    await invite(signer, charter, place, output);
    await takePart(signer, charter, place, output);
  },
});

const addImport = command({
  usage: "import <file>",
  about: "store the file of your share that a page or another machine has saved, for commands to sign with",
  examples: ["group import ~/Downloads/weather-share.json --account alice"],
  run: async ({ args, options, output }) => {
    const signer = await openSigner(options);
    const text = readIfPresent(args[0]!);
    if (text === null) throw commandError("CMD_USAGE", `there is no file ${args[0]}`);
    const { member, path } = await importShare(memberClient(signer), signer.key, text);
    const { name } = member.group.charter;
    output.answer([`your share of ${name} is in ${path}`, "delete the other copies that you do not need"], {
      name,
      keyX: groupKeyX(member.keys),
      path,
    });
  },
});

const addStatus = command({
  usage: "status",
  about: "your groups, what they own, and what waits for your signature, in full",
  examples: ["group status --account alice"],
  run: async ({ options, output }) => {
    const signer = await openSigner(options);
    const client = memberClient(signer);
    const { damaged, members: groups, replaced, unconfirmed } = await storedMembers(client, signer.key);
    const shown = await Promise.all(
      groups.map(async ({ member, place }) => {
        const { charter } = member.group;
        const keyX = groupKeyX(member.keys);
        const leaves = await findLeaves(signer.client, { keyX: BigInt(keyX) });
        const proposals = await openProposals(member, mailboxAt(client, place, charter));
        return {
          name: charter.name,
          keyX,
          threshold: charter.threshold,
          members: charter.members,
          leaves: leaves.map(({ id, kind }) => ({ id, kind })),
          proposals: proposals.map((proposal) => ({ session: proposalSession(proposal), ...proposal })),
        };
      }),
    );
    const lines = shown.flatMap(({ keyX, leaves, members, name, proposals, threshold }) => [
      `${name}: ${threshold} of ${members.length} (leaves ${members.map(({ leafId }) => leafId).join(", ")}), key ${keyX}`,
      `  owns ${leaves.map(({ id, kind }) => `${kind} ${id}`).join(", ") || "nothing"}`,
      ...proposals.flatMap((proposal) => [
        `  waits for signatures: ${proposal.session}`,
        ...describeProposal(proposal).map((line) => `    ${line}`),
      ]),
    ]);
    const files = [
      ...damaged.map(({ path, why }) => `damaged, restore it from your copy: ${path} (${why})`),
      ...unconfirmed.map(({ path, why }) => `waits for the others' confirmations: ${path} (${why})`),
      ...replaced.map(({ path }) => `an old share, which a newer set replaces, delete it: ${path}`),
    ];
    output.answer(lines.length > 0 ? [...lines, ...files] : ["this account is in no group", ...files], {
      groups: shown,
      damaged,
      unconfirmed,
      replaced: replaced.map(({ path }) => path),
    });
  },
});

const addSign = command({
  usage: "sign <proposal>",
  about: "sign what another member proposes; `group status` shows it in full",
  examples: ["group sign 0x1f2e… --account bob"],
  run: async ({ args, options, output }) => {
    const signer = await openSigner(options);
    const session = args[0] as Hex;
    if (!/^0x[0-9a-f]{64}$/.test(session)) throw commandError("CMD_USAGE", `"${session}" names no proposal`);
    const client = memberClient(signer);
    const { mailbox, member, proposal } = await findIn(signer, session);
    await checkProposal(client, member, proposal);
    for (const line of describeProposal(proposal)) output.note(line);
    const signature = await cosign(client, { member, mailbox }, proposal);
    output.answer([`${member.group.charter.name} has signed ${session}`, "who proposed it sends it"], {
      session,
      proposal,
      signature: toHexSignature(signature),
    });
  },
});

/** A client with the member's own key: mailboxes at hosts take the member's messages. */
const memberClient = ({ client, key }: Signer) => ({ ...client, l2Key: key });

/** Group, mailbox and proposal of a session. @throws CLI_GROUP_INVALID */
async function findIn(signer: Signer, session: Hex) {
  const { damaged, members } = await storedMembers(memberClient(signer), signer.key);
  for (const { member, place } of members) {
    const mailbox = mailboxAt(memberClient(signer), place, member.group.charter);
    try {
      return { mailbox, member, proposal: await findGroupProposal(member, mailbox, session) };
    } catch (error) {
      if (!isRollupError(error, "CLI_GROUP_INVALID")) throw error;
    }
  }
  const also = damaged.length === 0 ? "" : `; ${damaged.map(({ path }) => path).join(", ")} is damaged`;
  throw clientError("CLI_GROUP_INVALID", `no group of this account has a proposal ${session}${also}`, {
    data: { reason: "no-proposal" },
  });
}

/** Proposals whose time is not over. Those of a replaced set, or of others in the same folder, are none. */
async function openProposals(member: GroupMember, mailbox: ListingMailbox): Promise<GroupProposal[]> {
  const found = (await mailbox.sessions()).map((session) =>
    findGroupProposal(member, mailbox, session).catch((error: unknown) => {
      if (isRollupError(error, "CLI_GROUP_INVALID")) return null;
      throw error;
    }),
  );
  return (await Promise.all(found)).flatMap((proposal) =>
    proposal !== null && proposal.untilMs > Date.now() ? [proposal] : [],
  );
}

async function ownGroup(signer: Signer, name: string): Promise<StoredMember> {
  const { damaged, members } = await storedMembers(memberClient(signer), signer.key);
  const found = members.find(({ member }) => member.group.charter.name === name);
  if (found !== undefined) return found;
  const also = damaged.length === 0 ? "" : `; ${damaged.map(({ path }) => path).join(", ")} is damaged`;
  throw clientError("CLI_GROUP_INVALID", `this account is in no group called ${name}${also}`, {
    data: { reason: "no-member" },
  });
}

async function makeCharter(
  signer: Signer,
  options: GlobalOptions & MemberOptions,
  { name, previous }: Pick<Charter, "name" | "previous">,
): Promise<Charter> {
  const members = await keysOf(signer, options, options.members);
  const { domain } = signer.client;
  return readCharter(domain, {
    format: "openledger.group.v1",
    domain: hex32(domain),
    name,
    threshold: parseCount(options.threshold),
    members,
    untilMs: Date.now() + 60_000 * parseCount(options.minutes),
    salt: drawSalt(),
    previous,
  } satisfies Charter);
}

const keysOf = (signer: Signer, options: GlobalOptions, leaves: readonly string[]) =>
  Promise.all(
    leaves.map(async (leaf) => {
      const { id: leafId, keyX } = await resolveLeaf(signer.client, options, leaf);
      return { leafId, keyX: hex32(keyX) };
    }),
  );

/** Puts the charter where the others find it. */
async function invite(signer: Signer, charter: Charter, place: string, output: Output): Promise<void> {
  const session = charterSession(charter);
  if (isUrl(place)) {
    const { domain } = signer.client;
    const message = signMessage(domain, signer.key, { session, step: "invite", body: charter });
    await mailboxAt(memberClient(signer), place, charter).post(message);
    output.note(`experimental: each other member runs\n  openledger group join ${session} --host ${place}`);
    return;
  }
  const path = join(place, "charters", `${session.slice(2, 18)}.json`);
  await writeFileWhole(path, `${JSON.stringify(charter, null, 2)}\n`);
  output.note(`experimental: each other member runs\n  openledger group join ${path} --folder ${place}`);
}

/** The charter of a file, or of a setup's name at the host. @throws CLI_GROUP_INVALID, CMD_USAGE */
async function findInvitation(signer: Signer, text: string, place: string): Promise<Charter> {
  const { client } = signer;
  return /^0x[0-9a-f]{64}$/.test(text) && isUrl(place)
    ? findCharter(client, place, text as Hex)
    : readCharter(client.domain, await readJson(text));
}

async function takePart(signer: Signer, charter: Charter, place: string, output: Output): Promise<void> {
  const { key } = signer;
  const client = memberClient(signer);
  const session = charter.previous?.session;
  const deals = charter.previous !== null && dealersOf(charter).includes(hex32(key.keyX));
  const { members, replaced } = await storedMembers(client, key);
  const old = [...members, ...replaced].find(
    ({ member }) => charterSession(member.group.charter) === session,
  );
  const member = await setUpGroup({
    charter,
    key,
    mailbox: mailboxAt(client, place, charter),
    ...(deals && old !== undefined && { old: old.member }),
    onShare: (share) => storeUnconfirmed({ member: share, place }),
  });
  const path = member === null ? null : await storeMember({ member, place });
  // The new set stands: every member of it has confirmed. k old shares would still sign.
  if (old !== undefined) {
    deleteShare(old);
    output.note(`deleted your share of the old set, ${old.path}: delete your copies of it, too`);
  }
  if (member === null) {
    output.answer(["you have dealt your share out to the new set"], { keyX: null });
    return;
  }
  const keyX = groupKeyX(member.keys);
  output.answer(
    [
      `${charter.name} stands: ${charter.threshold} of ${membersOf(charter).length} sign for key ${keyX}`,
      `your share is in ${path}: keep a copy where others cannot read it`,
      `open a Datanet with it: openledger datanet create --key ${keyX}`,
    ],
    { name: charter.name, keyX, threshold: charter.threshold, members: charter.members, path },
  );
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    throw commandError("CMD_USAGE", `${path} holds no JSON`);
  }
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw commandError("CMD_USAGE", `"${text}" is no count`);
  return Number(text);
}
