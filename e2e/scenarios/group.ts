/**
 * A group of two of three that owns a Datanet loses a share and has silent members: who does not answer is named, the others go on,
 * and a replacement keeps the key. Messages go through a real Datanet host, operations to a real sequencer on a real L1.
 */
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { transfer } from "@openledger/client/actions/ledger/account-operations";
import { createDatanet } from "@openledger/client/actions/ledger/datanet-operations";
import {
  type Charter,
  drawSalt,
  type GroupMember,
  groupKeyX,
  previousOf,
} from "@openledger/client/groups/group-charter";
import { asGroup, cosign } from "@openledger/client/groups/group-client";
import type { GroupMailbox } from "@openledger/client/groups/group-messages";
import type { GroupProposal } from "@openledger/client/groups/group-proposal";
import { setUpGroup } from "@openledger/client/groups/group-setup";
import { hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf, getOperation } from "@openledger/client/sequencer/ledger-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { Command } from "commander";
import { createWorldHere } from "../testing/here.ts";
import { drillError } from "../world/drill-errors.ts";
import { waitUntil } from "../world/wait-until.ts";
import { good, keepOption, type Outcome, scenario, withFolder } from "./scenario.ts";

const POLL_MS = 100;
const SETUP_MS = 60_000;
const ANSWER_MS = 60_000;
/** Time that members have who will not answer. */
const SILENCE_MS = 15_000;
const RECEIVER = 5;

export const groupScenario = scenario<{ readonly keep: string | null }>(
  new Command("group")
    .description("a group of two of three: silent members, a lost share, a replacement that keeps the key")
    .addOption(keepOption())
    .addHelpText("after", "\nThe last line is JSON. It ends with 1 if a step is not as it must be."),
  ({ keep }, tell) => withFolder(keep, "group", (folder) => drill(folder, tell)),
);

async function drill(folder: string, tell: (text: string) => void): Promise<Outcome> {
  const people = { ann: anvilAccount(4), ben: anvilAccount(5), cat: anvilAccount(6), dan: anvilAccount(7) };
  const world = await createWorldHere({
    f: await startHistoryFixture(),
    folder,
    people,
    hasWallClock: true,
  });
  try {
    await world.finalise();
    const { url: hostUrl } = await world.host();
    const { ann, ben, cat, dan } = world.clients;
    const names = new Map<string, string>(
      Object.entries(world.clients).map(([name, { l2Key }]) => [hex32(l2Key!.keyX), name]),
    );
    const nameAll = (keys: readonly string[]) => keys.map((key) => names.get(key) ?? key).sort();
    const charterOf = (clients: readonly LedgerClient[], previous: Charter["previous"]): Charter => ({
      format: "openledger.group.v1",
      domain: hex32(ann.domain),
      name: "drill",
      threshold: 2,
      members: clients.map(({ l2Key, leafId }) => ({ leafId: leafId!, keyX: hex32(l2Key!.keyX) })),
      untilMs: Date.now() + SETUP_MS,
      salt: drawSalt(),
      previous,
    });
    const mailboxOf = (client: LedgerClient, charter: Charter) =>
      hostMailbox(client, { hostUrl, members: takingPart(charter) });
    const setUp = (charter: Charter, clients: readonly LedgerClient[], old: readonly GroupMember[]) =>
      Promise.all(
        clients.map((client) => {
          const share = old.find(({ keyX }) => keyX === hex32(client.l2Key!.keyX));
          return setUpGroup({
            charter,
            key: client.l2Key!,
            mailbox: mailboxOf(client, charter),
            pollMs: POLL_MS,
            ...(share !== undefined && { old: share }),
          });
        }),
      ) as Promise<GroupMember[]>;

    tell("three members found a group, and give its key a Datanet");
    const charter = charterOf([ann, ben, cat], null);
    const first = await setUp(charter, [ann, ben, cat], []);
    const keyX = groupKeyX(first[0]!.keys);
    const l1Owner = people.ann.address;
    const { hash } = await createDatanet(ann, { l1Owner, keyX: BigInt(keyX), amountWei: 9n * OPEN });
    const leafId = (await getOperation(ann, hash))!.createdId!;

    /** One member proposes a transfer, others sign it. */
    const pay = async (by: LedgerClient, member: GroupMember, others: Other[], timeoutMs: number) => {
      const proposed: GroupProposal[] = [];
      const group = asGroup({ ...by, leafId: null }, leafId, {
        member,
        mailbox: mailboxOf({ ...by, leafId: null }, member.group.charter),
        timeoutMs,
        pollMs: POLL_MS,
        onProposal: (proposal) => void proposed.push(proposal),
      });
      const sending = transfer(group, { to: RECEIVER, amountWei: OPEN });
      const sent = sending.then(
        () => null,
        (error: unknown) => error,
      );
      await waitUntil("a proposal", async () => proposed.length > 0, ANSWER_MS);
      const signed = others.map(({ client, isCutOff = false, member: own }) => {
        const mailbox = mailboxOf(client, own.group.charter);
        const part = isCutOff ? cutOff(mailbox) : mailbox;
        return cosign(client, { member: own, mailbox: part, pollMs: POLL_MS }, proposed[0]!).catch(
          (error: unknown) => error,
        );
      });
      const failure = await sent;
      await Promise.all(signed);
      if (failure === null) return [];
      if (isRollupError(failure, "CLI_GROUP_SILENT"))
        return nameAll((failure.data as { members: readonly string[] }).members);
      throw failure;
    };

    tell("nobody answers");
    const [annFirst, benFirst, catFirst] = first as [GroupMember, GroupMember, GroupMember];
    const nobody = await pay(ann, annFirst, [], SILENCE_MS);
    requireNames("nobody answers", nobody, ["ben", "cat"]);
    tell("one who has agreed ends before it signs");
    const ended = await pay(ann, annFirst, [{ client: cat, member: catFirst, isCutOff: true }], SILENCE_MS);
    requireNames("one has ended", ended, ["cat"]);
    tell("the others go on");
    requireNames(
      "the others go on",
      await pay(ann, annFirst, [{ client: ben, member: benFirst }], ANSWER_MS),
      [],
    );

    tell("cat has lost the share: ann and ben give the key to ann, ben and dan");
    const dealers = [ann, ben].map(({ l2Key }) => hex32(l2Key!.keyX));
    const next = charterOf([ann, ben, dan], previousOf(annFirst.group, dealers));
    const [annNext, , danNext] = await setUp(next, [ann, ben, dan], [annFirst, benFirst]);
    if (groupKeyX(annNext!.keys) !== keyX)
      throw drillError("DRL_UNEXPECTED", "the replacement has another key");
    requireNames("the new set", await pay(dan, danNext!, [{ client: ann, member: annNext! }], ANSWER_MS), []);
    const leaf = await getLeaf(ann, leafId);
    if (leaf.nextNonce !== 2)
      throw drillError("DRL_UNEXPECTED", `the Datanet has signed ${leaf.nextNonce} operations, not 2`);
    return good({ keyX, leafId, silent: { nobody, ended }, signedCount: leaf.nextNonce, isKeyKept: true });
  } finally {
    await world.stop();
  }
}

interface Other {
  readonly client: LedgerClient;
  readonly member: GroupMember;
  /** Agrees, and is gone before it signs. */
  readonly isCutOff?: boolean;
}

/** A mailbox that loses the member's part of the signature, as a process that ends does. */
const cutOff = (mailbox: GroupMailbox): GroupMailbox => ({
  read: (session) => mailbox.read(session),
  post: async (message) => {
    if (message.step !== "part") await mailbox.post(message);
  },
});

function requireNames(what: string, found: readonly string[], expected: readonly string[]): void {
  if (found.join() !== expected.join())
    throw drillError("DRL_UNEXPECTED", `${what}: ${found.join(", ") || "nobody"} is named as silent`);
}
