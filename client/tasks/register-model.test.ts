/**
 * Registration of a model: every refusal with its code, that nothing is signed by any, and that page and command have words for each;
 * then what passes, also after an interruption. A real sequencer.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelFigure } from "@openledger/attribution/model/model-figure";
import {
  hashStatics,
  type ModelBinding,
  type ModelStatics,
  packBinding,
} from "@openledger/circuits/ledger/leaf";
import { ownersCommitment, type Payee, packSplit, payeeRoot } from "@openledger/circuits/ledger/rewards";
import type { RecipeTerms } from "@openledger/datanets/terms/terms-rule";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import {
  activationJson,
  settlementDeployment,
  type TestCircuits,
} from "@openledger/sequencer/testing/test-model";
import { ONE_OPEN_WEI, testUser } from "@openledger/sequencer/testing/test-rollup";
import { type Address, getAddress, hexToBytes, numberToHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { judgeFigureOf } from "../actions/answers/model-figure.ts";
import type { ProvenSettlement } from "../actions/l1/send-settlement.ts";
import { createDatanet } from "../actions/ledger/datanet-operations.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { findLeaves, getOperation } from "../sequencer/ledger-reads.ts";
import { getModel } from "../sequencer/model-reads.ts";
import type { LedgerModelLeaf } from "../sequencer/model-schemas.ts";
import { codesWithoutWords } from "../testing/refusal-words.ts";
import { publishCard } from "./publish-card.ts";
import {
  type CheckRegistrationParameters,
  checkRegistration,
  createRegistered,
  registerOnLedger,
} from "./register-model.ts";

const ALICE = 3;
const folder = mkdtempSync(join(tmpdir(), "register-model-"));
let world: HostWorld;
let circuits: TestCircuits;
let bob: LedgerClient;
let l1Owner: Address;

beforeAll(async () => {
  const made = await settlementDeployment(folder);
  ({ circuits } = made);
  world = await createHostWorld({ card: sampleCard(), deployment: made.deployment });
  bob = await world.user(2);
  l1Owner = getAddress(numberToHex(testUser(2).l1Owner, { size: 20 }));
}, 60_000);
afterAll(async () => {
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

const PAYEES: readonly Payee[] = [{ contributorId: 4, validatorId: 4, rowCount: 9 }];

function modelOf(changes: Partial<ModelBinding> = {}, recipe: Partial<RecipeTerms> = {}, payees = PAYEES) {
  const statics: ModelStatics = {
    featuresCommitment: 1n,
    ownersCommitment: ownersCommitment(payees.map(({ rowCount }) => rowCount)),
    payeeRoot: payeeRoot([...payees]),
    binding: packBinding({
      ...{ datanetId: BigInt(world.datanetId), version: 1n, rowCount: 9n, predecessorId: 0n },
      ...{ drawBits: 2n, featureCount: 16n, ...changes },
    }),
    split: packSplit({ ownerParts: 6_554n, validatorParts: 16_384n }),
  };
  const datanet = { id: world.datanetId, version: 1, rowsRoot: hex32(0n) };
  return { statics, staticsHash: hashStatics(statics), payees, recipe: { datanet, ...recipe } };
}

const registration = (changes: Partial<CheckRegistrationParameters> = {}): CheckRegistrationParameters => ({
  ...{ model: modelOf(), priceWei: ONE_OPEN_WEI / 2n, amountWei: ONE_OPEN_WEI, l1Owner },
  askHost: async () => null,
  ...changes,
});
const ofDatanet = (id: number) => ({ model: modelOf({ datanetId: BigInt(id) }) });

interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly data?: object;
  readonly changes: () =>
    | Partial<CheckRegistrationParameters>
    | Promise<Partial<CheckRegistrationParameters>>;
}
const FORBIDDEN: NonNullable<RecipeTerms["terms"]> = {
  use: "shared",
  licence: "CC-BY-NC-4.0",
  rows: [{ datanet: 10, licence: "CC-BY-NC-2.0", isSigned: true, rowCount: 9, firstRows: ["ab".repeat(32)] }],
};
const REFUSALS: readonly Refusal[] = [
  { name: "a price of nothing", code: "CLI_INPUT_INVALID", changes: () => ({ priceWei: 0n }) },
  {
    name: "a price that no payment can carry",
    code: "OP_AMOUNT_NOT_REPRESENTABLE",
    changes: () => ({ priceWei: ONE_OPEN_WEI + 1n }),
  },
  {
    name: "a balance that no operation can carry",
    code: "OP_AMOUNT_NOT_REPRESENTABLE",
    changes: () => ({ amountWei: ONE_OPEN_WEI + 1n }),
  },
  {
    name: "the hash of other statics",
    code: "ATT_MODEL_MISMATCH",
    data: { what: "statics" },
    changes: () => ({ model: { ...modelOf(), staticsHash: 7n } }),
  },
  { name: "another's account", code: "OP_BAD_SIGNATURE", changes: () => ({ from: ALICE }) },
  {
    name: "rows whose terms forbid answers for pay, by the recipe",
    code: "DNT_TERMS_FORBID",
    changes: () => ({ model: modelOf({}, { terms: FORBIDDEN }) }),
  },
  { name: "a leaf that is no Datanet", code: "OP_WRONG_LEAF_KIND", changes: () => ofDatanet(ALICE) },
  {
    name: "a Datanet without a version",
    code: "OP_DATANET_NOT_PUBLISHED",
    changes: async () => {
      const { hash } = await createDatanet(bob, { l1Owner, keyX: bob.l2Key!.keyX });
      return ofDatanet((await getOperation(bob, hash))!.createdId!);
    },
  },
  {
    name: "a number of draws that no circuit has",
    code: "CLI_CIRCUIT_MISSING",
    changes: () => ({ model: modelOf({ drawBits: 5n }) }),
  },
  {
    name: "more payees than a circuit has",
    code: "CLI_CIRCUIT_MISSING",
    changes: () => {
      const payees = Array.from({ length: 17 }, (_, i) => ({
        contributorId: 4,
        validatorId: i,
        rowCount: 1,
      }));
      return { model: modelOf({ rowCount: 17n }, {}, payees) };
    },
  },
  {
    name: "a first balance above the payer's",
    code: "OP_BALANCE_TOO_LOW",
    changes: () => ({ amountWei: 1_000_000n * ONE_OPEN_WEI }),
  },
  {
    name: "an earlier version, whose models nobody can approve",
    code: "OP_MODEL_NOT_OF_DATANET",
    data: { field: "version" },
    changes: async () => {
      const { id: datanetId, client } = await world.datanet(bob, sampleCard());
      await publishCard(client, { datanetId, card: sampleCard({ name: "Renamed" }) });
      return ofDatanet(datanetId);
    },
  },
];

test("refuses with a code for each reason, and signs nothing", async () => {
  for (const { changes, code, data = {}, name } of REFUSALS) {
    const parameters = registration(await changes());
    const refusal = { code, data: expect.objectContaining(data) };
    await expect(checkRegistration(bob, parameters), name).rejects.toMatchObject(refusal);
    const onSigned = () => expect.unreachable(name);
    await expect(createRegistered(bob, { ...parameters, onSigned }), name).rejects.toMatchObject(refusal);
  }
  expect((await findLeaves(bob, { owner: l1Owner })).filter(({ kind }) => kind === "model")).toEqual([]);
}, 60_000);

const FIGURE: ModelFigure = {
  foldCount: 3,
  isByContributor: false,
  labels: [
    { label: "a", rowCount: 5, rightCount: 4 },
    { label: "b", rowCount: 4, rightCount: 2 },
  ],
  majorityCount: 5,
  logisticCount: 6,
};

/** Proof of an activation by known trapdoors. */
const prove = async ({ id: modelId }: Pick<LedgerModelLeaf, "id">): Promise<ProvenSettlement> => {
  const { payees, statics } = modelOf();
  const owner = testUser(2);
  const json = activationJson({ owner, modelId, payees, statics }, circuits);
  const pair = ([x, y]: readonly string[]) => [BigInt(x!), BigInt(y!)] as const;
  const [c, y, z] = json.publicSignals.map(BigInt);
  return {
    kind: "activation",
    ...{ modelId, circuit: json.circuit, settlementHash: BigInt(json.settlementHash) },
    data: hexToBytes(json.data as `0x${string}`),
    publicSignals: [c!, y!, z!],
    proof: {
      a: pair(json.proof.a),
      b: [pair(json.proof.b[0]!), pair(json.proof.b[1]!)],
      c: pair(json.proof.c),
    },
  };
};

test("registers once, goes on after an interruption, and signs nothing for a model that is ready", async () => {
  const steps: string[] = [];
  const onProgress = ({ step }: { step: string }) => void steps.push(step);
  const cut = async () => {
    throw new Error("the prover was cut off");
  };
  await expect(registerOnLedger(bob, { ...registration(), prove: cut, onProgress })).rejects.toThrow(
    "cut off",
  );
  const [begun] = (await findLeaves(bob, { owner: l1Owner })).filter(({ kind }) => kind === "model");
  const onSigned = () => expect.unreachable("a second model");
  const again = { ...registration(), prove, onSigned };
  const other = registerOnLedger(bob, { ...again, priceWei: ONE_OPEN_WEI });
  await expect(other).rejects.toMatchObject({ code: "CLI_MODEL_BEGUN", data: { modelId: begun!.id } });
  const another = async (leaf: LedgerModelLeaf) => ({ ...(await prove(leaf)), modelId: 7 });
  const wrong = registerOnLedger(bob, { ...again, prove: another });
  await expect(wrong).rejects.toMatchObject({ code: "CLI_ANSWER_INVALID" });
  const { figure, leaf, modelId, wasRegistered } = await registerOnLedger(bob, { ...again, onProgress });
  expect(figure).toBeNull();
  expect([modelId, wasRegistered, leaf.counters.priceWei]).toEqual([begun!.id, false, ONE_OPEN_WEI / 2n]);
  expect((await getModel(bob, modelId)).counters.isReady).toBe(true);
  expect(steps).toEqual(["checking", "creating", "proving", "checking", "proving", "sending"]);
  // The model's leaf signs its figure, also of a model that is ready.
  const model = { ...modelOf(), figure: FIGURE };
  const third = await registerOnLedger(bob, { ...again, model, prove: cut });
  expect(third).toMatchObject({ modelId, wasRegistered: true, sent: null });
  expect(judgeFigureOf(bob.domain, leaf, third.figure)).toEqual({ signed: third.figure, fault: null });
  const { rowsRoot } = model.recipe.datanet;
  expect(third.figure!.body).toMatchObject({ modelId, version: 1, versionRoot: rowsRoot, figure: FIGURE });
});

test("has words for each refusal in the command and in the page", () => {
  const codes = [...REFUSALS.map(({ code }) => code), "CLI_MODEL_BEGUN", "CLI_ANSWER_INVALID"];
  expect(codesWithoutWords(codes)).toEqual([]);
});
