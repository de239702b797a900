/** A hostile owner registers and posts one lie after the other; `openledger watch` is left alone with them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import { payeeTable } from "@openledger/attribution/model/owned-rows";
import { encodeLeaves } from "@openledger/challenger/internal/statements/leaf-file";
import { commitModelCall } from "@openledger/challenger/model-commitments/ledger-proofs";
import { readWindows } from "@openledger/challenger/model-commitments/read-windows";
import { encodeSettlementBody, sendSettlement } from "@openledger/client/actions/l1/send-settlement";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { FAMILY_NUMBERS } from "@openledger/contracts/build/deploy-disputes";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { signSettlement } from "@openledger/models/settling/sign-settlement";
import type { Prover } from "@openledger/prover/proving/prover";
import { drillAccount } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import { proveActivation, SETTLEMENT_INDEX, TABLE_INDEX } from "../../world/model-circuits.ts";
import { STEP_TIMEOUT_MS } from "../../world/world.ts";
import type { DisputeWorld } from "./dispute-world.ts";
import { type Falsehood, postedLie } from "./falsehood.ts";

export interface RefutedLie {
  readonly name: string;
  readonly modelId: number;
  /** What L1 was shown, as the contract names it. */
  readonly fault: string;
  readonly postGas: number;
  readonly challengeGas: number;
  readonly rewardWei: bigint;
  /** From the model commitment's block to the refuting one, by the clock of this machine. */
  readonly refutedAfterMs: number;
  /** With which code the sequencer refuses the model's activation, proof and all. */
  readonly activationRefusal: string;
}

/** @throws DRL_TIMEOUT where nobody refutes it; DRL_UNEXPECTED where it gets further than it may */
export async function playLie(f: DisputeWorld, lie: Falsehood, prover: Prover): Promise<RefutedLie> {
  const { clients, gate, honest, published, run, world } = f;
  const model = await lie.model(honest);
  const staged = join(world.folder, `false-${lie.name}`);
  await writeModel(staged, model);
  const { isAdmitted, modelId } = await run.run<{ modelId: number; isAdmitted: boolean }>(
    ...["models", "register", staged, ...f.as("hostile")],
  );
  if (isAdmitted !== false) throw drillError("DRL_UNEXPECTED", `model ${modelId} needs no window`);
  const contents = honest.rows.map(({ content }) => content);
  const posted = postedLie(lie, model, contents, modelId);
  const folder = join(published, String(modelId));
  await writeModel(folder, model).catch((error: unknown) => {
    // The lies that are in the leaves alone are of one model.
    if (!isRollupError(error, "ATT_MODEL_EXISTS")) throw error;
  });
  if (lie.leaves !== undefined) await writeFile(join(folder, LEAF_FILE), encodeLeaves(posted.leaves));
  await world.allPosted();
  const wallet = world.l1.walletOf("hostile");
  const value = await world.l1.client.readContract({
    ...{ address: gate, abi: disputesAbi, functionName: "leastBondWei" },
  });
  const hash = await world.waitFor(
    "the model commitment",
    async () => {
      const call = await commitModelCall(clients.hostile, FAMILY_NUMBERS.direct, posted.statement);
      return wallet.writeContract({ address: gate, abi: disputesAbi, ...call, value } as never);
    },
    STEP_TIMEOUT_MS,
  );
  const receipt = await world.l1.client.waitForTransactionReceipt({ hash });
  const startedAtMs = performance.now();
  const { id } = (await readWindows(world.l1.client as never, gate, { modelId })).at(-1)!;
  const { refutation, refutedBy } = await world.waitFor(
    `watch to refute "${lie.name}"`,
    async () => {
      const windows = await readWindows(world.l1.client as never, gate, { modelId });
      return windows.find((one) => one.id === id && one.state === "refuted");
    },
    STEP_TIMEOUT_MS,
  );
  const refutedAfterMs = Math.round(performance.now() - startedAtMs);
  const { gasUsed } = await world.l1.client.getTransactionReceipt({
    hash: refutation!.transactionHash,
  });
  if (refutedBy !== drillAccount("watcher").address)
    throw drillError("DRL_UNEXPECTED", `${refutedBy} has refuted it`);
  return {
    name: lie.name,
    modelId,
    fault: refutation!.fault,
    postGas: Number(receipt.gasUsed),
    challengeGas: Number(gasUsed),
    rewardWei: refutation!.rewardWei,
    refutedAfterMs,
    activationRefusal: await activationRefusal(f, modelId, prover),
  };
}

/** He brings the activation all the same, with its proof. */
async function activationRefusal(
  { clients, honest, size, world }: DisputeWorld,
  modelId: number,
  prover: Prover,
): Promise<string> {
  const leaf = await getModel(clients.hostile, modelId);
  const { hash: _hash, ...statics } = staticsOf(leaf);
  const payees = payeeTable(honest.rows);
  const table = world.circuits[TABLE_INDEX]!;
  const proven = await proveActivation(world, { modelId, statics, payees }, size, {
    ...{ prover, table, settlingIndex: SETTLEMENT_INDEX },
  });
  try {
    await sendSettlement(
      clients.hostile,
      encodeSettlementBody(signSettlement(clients.hostile, leaf, proven)),
    );
  } catch (error) {
    if (isRollupError(error)) return error.code;
    throw error;
  }
  throw drillError("DRL_UNEXPECTED", `the sequencer takes the activation of model ${modelId}`);
}
