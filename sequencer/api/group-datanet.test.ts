/** A Datanet of two of three: its version and its approval of a model need two members, by the real sequencer. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ModelStatics, packBinding } from "@openledger/circuits/ledger/leaf";
import { cutPayees } from "@openledger/circuits/ledger/payee-shards";
import { ownersCommitment, packSplit, payeeRoot } from "@openledger/circuits/ledger/rewards";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { approveModel, createModel } from "@openledger/client/actions/ledger/model-operations";
import { folderMailbox } from "@openledger/client/groups/folder-mailbox";
import { drawSalt, type GroupMember, groupKeyX } from "@openledger/client/groups/group-charter";
import { asGroup, checkProposal, cosign } from "@openledger/client/groups/group-client";
import { type GroupProposal, makeProposal } from "@openledger/client/groups/group-proposal";
import { setUpGroup } from "@openledger/client/groups/group-setup";
import { keyFromSecret, type L2Key } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { clientWithoutL1 } from "@openledger/client/testing/client-without-l1";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { hex20, hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, expect, it } from "vitest";
import { settlementDeployment } from "../testing/test-model.ts";
import { close, head, report } from "../testing/test-operator.ts";
import {
  L1_TIMESTAMP,
  ONE_OPEN_WEI,
  startTestRollup,
  TEST_DOMAIN,
  TEST_ROLLUP,
  type TestRollup,
  temporaryFolder,
} from "../testing/test-rollup.ts";

const DAY_SECONDS = 86_400;
const POLL_MS = 5;
const folder = temporaryFolder();
let mailFolder: string;
let rollup: TestRollup;
let keys: L2Key[];
let members: GroupMember[];
let clients: LedgerClient[];
const mailbox = () => folderMailbox(mailFolder);

beforeAll(async () => {
  mailFolder = await mkdtemp(join(tmpdir(), "group-datanet-"));
  const { deployment } = await settlementDeployment(folder.path);
  rollup = await startTestRollup({ dataPath: `${folder.path}/data`, userCount: 3, deployment });
  const sequencerUrl = await rollup.app.listen({ host: "127.0.0.1", port: 0 });
  keys = await Promise.all(rollup.users.map(({ secret }) => keyFromSecret(hex32(secret))));
  clients = rollup.users.map(({ id }, i) =>
    clientWithoutL1({
      sequencerUrl,
      rollupAddress: TEST_ROLLUP.rollupAddress,
      tokenAddress: hex20(1n),
      l2Key: keys[i]!,
      leafId: id,
      sequencerAddress: anvilAccount(0).address,
      domain: TEST_DOMAIN,
    }),
  );
  const charter = {
    format: "openledger.group.v1" as const,
    domain: hex32(TEST_DOMAIN),
    name: "Village weather",
    threshold: 2,
    members: rollup.users.map(({ id, keyX }) => ({ leafId: id, keyX: hex32(keyX) })),
    untilMs: Date.now() + 60_000,
    salt: drawSalt(),
    previous: null,
  };
  const setups = keys.map((key) => setUpGroup({ charter, key, mailbox: mailbox(), pollMs: POLL_MS }));
  members = (await Promise.all(setups)).map((member) => member!);
});
afterAll(async () => {
  await rollup?.stop();
  folder.remove();
  await rm(mailFolder, { recursive: true, force: true });
});

/** Acts as the group by member 0; `cosigner` signs what is proposed, if anyone does. */
async function actAs<T>(
  datanetId: number,
  act: (client: LedgerClient) => Promise<T>,
  { cosigner, timeoutMs = 20_000 }: { cosigner: number | null; timeoutMs?: number },
): Promise<T> {
  const others: Promise<unknown>[] = [];
  const signing = { member: members[0]!, mailbox: mailbox(), pollMs: POLL_MS, timeoutMs };
  const onProposal = (proposal: GroupProposal) => {
    if (cosigner === null) return;
    const { member, ...rest } = { ...signing, member: members[cosigner]! };
    others.push(cosign(clients[cosigner]!, { member, ...rest }, proposal));
  };
  const result = await act(asGroup(clients[0]!, datanetId, { ...signing, onProposal }));
  await Promise.all(others);
  return result;
}

it("publishes and approves with two of its three members, and with none alone", async () => {
  const [founder] = clients;
  const l1Owner = hex20(rollup.users[0]!.l1Owner);
  const keyX = BigInt(groupKeyX(members[0]!.keys));
  await createDatanet(founder!, { l1Owner, keyX, amountWei: 5n * ONE_OPEN_WEI });
  await close(rollup);
  const [created] = (await rollup.get(`/v1/leaves?keyX=${hex32(keyX)}`)).body;
  const datanetId: number = created.id;
  const payees = cutPayees([{ contributorId: rollup.users[1]!.id, validatorId: 2, rowCount: 9 }], {
    rows: 9,
    payees: 16,
  });
  const version = {
    rowsRoot: 7n,
    ownersCommitment: ownersCommitment(payees.map(({ rowCount }) => rowCount)),
    payeeRoot: payeeRoot(payees),
    rowCount: 9,
  };
  // The member's own key does not sign for it, and one member alone waits in vain.
  await expect(publishVersion(founder!, { datanetId, version })).rejects.toMatchObject({
    code: "OP_BAD_SIGNATURE",
  });
  await expect(
    actAs(datanetId, (client) => publishVersion(client, { datanetId, version }), {
      cosigner: null,
      timeoutMs: 600,
    }),
  ).rejects.toMatchObject({ code: "CLI_GROUP_SILENT" });
  expect((await getLeaf(founder!, datanetId)).datanet!.version).toBe(0);

  await actAs(datanetId, (client) => publishVersion(client, { datanetId, version }), { cosigner: 2 });
  await close(rollup);
  expect((await getLeaf(founder!, datanetId)).datanet!).toMatchObject({ version: 1 });

  const binding = {
    datanetId: BigInt(datanetId),
    version: 1n,
    rowCount: 9n,
    predecessorId: 0n,
    drawBits: 2n,
    featureCount: 16n,
    furtherDatanets: [],
  };
  const split = { ownerParts: 6_554n, validatorParts: 16_384n };
  const made = {
    featuresCommitment: 1n,
    ownersCommitment: version.ownersCommitment,
    payeeRoot: version.payeeRoot,
  };
  await createModel(founder!, { ...made, l1Owner, keyX: keys[0]!.keyX, binding, split, priceWei: 5n });
  await close(rollup);
  const leaves = (await rollup.get(`/v1/leaves?owner=${l1Owner}`)).body as { id: number; kind: string }[];
  const modelId = leaves.find(({ kind }) => kind === "model")!.id;
  for (let number = 1; number <= rollup.sequencer.pipeline.registry.closedNumber; number++)
    await report(rollup, number, "final");
  await head(rollup, L1_TIMESTAMP + DAY_SECONDS);
  const statics: ModelStatics = { ...made, binding: packBinding(binding), split: packSplit(split) };
  await actAs(datanetId, (client) => approveModel(client, { datanetId, modelId, statics }), { cosigner: 1 });
  await close(rollup);
  expect((await getModel(founder!, modelId)).counters.isApproved).toBe(true);
});

it("signs for no leaf of another key, for no other owner of B than the ledger's, and no operation but the next", async () => {
  const keyX = groupKeyX(members[0]!.keys);
  const [{ id: datanetId }] = (await rollup.get(`/v1/leaves?keyX=${keyX}`)).body;
  const operation = {
    kind: "transfer" as const,
    a: datanetId as number,
    b: rollup.users[1]!.id,
    amountCode: "1",
    words: [],
    nonce: (await getLeaf(clients[0]!, datanetId as number)).nextNonce,
    maxFeePerUnitWei: "1000000",
  };
  const check = (change: Partial<typeof operation>, bRef: bigint) =>
    checkProposal(
      clients[1]!,
      members[1]!,
      makeProposal(members[0]!, {
        subject: { kind: "operation", operation: { ...operation, ...change }, bRef: hex32(bRef) },
        untilMs: Date.now() + 1_000,
      }),
    );
  await expect(check({ a: rollup.users[0]!.id }, 0n)).rejects.toMatchObject({
    code: "CLI_GROUP_INVALID",
    data: { reason: "other-leaf" },
  });
  await expect(check({}, 1n)).rejects.toMatchObject({ data: { reason: "other-owner" } });
  for (const nonce of [operation.nonce - 1, operation.nonce + 1])
    await expect(check({ nonce }, 1n)).rejects.toMatchObject({ data: { reason: "nonce" } });
});
