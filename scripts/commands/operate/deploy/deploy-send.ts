/**
 * Sends the transactions of a planned deployment (deploy-plan.ts), one step after another; run again, it goes on where it
 * stopped.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { defaultConfirmations, StalledHead } from "@openledger/bridge/l1/confirmations";
import { sendSigned } from "@openledger/bridge/l1/submission/send-signed";
import { cappedFees } from "@openledger/contracts/l1/capped-transaction";
import { paddedGas, replacementFees } from "@openledger/contracts/l1/fee-policy";
import { keccak256, type PublicClient, parseTransaction, type TransactionReceipt } from "viem";
import { operatorError } from "../../../cli/operator-errors.ts";
import type { DeployConfig } from "./deploy-config.ts";
import { type Attempt, type DeployJournal, readJournal, writeJournal } from "./deploy-journal.ts";
import type { DeployPlan, DeployStep } from "./deploy-plan.ts";

/** Interval between two looks for a receipt. */
const POLL_MS = 500;
/** Time after which a transaction that is not mined is replaced by one that pays more. */
const RESEND_AFTER_MS = 60_000;

export type Receipts = Readonly<Partial<Record<DeployStep["name"], TransactionReceipt>>>;

/**
 * @returns the receipts, each as deep as the configuration asks for
 * @throws CMD_DEPLOY_FAILED, CON_L1_COST_ABOVE_CAP; BRG_L1_* and viem's errors if the node does not answer or refuses:
 * the next start goes on from there
 */
export async function sendDeployment(
  config: DeployConfig,
  plan: DeployPlan,
  client: PublicClient,
  tell: (text: string) => void,
): Promise<Receipts> {
  const journal: DeployJournal = readJournal(config.out) ?? {
    plan: { ...plan.fingerprint },
    firstNonce: plan.firstNonce,
    attempts: {},
  };
  const receipts: Partial<Record<DeployStep["name"], TransactionReceipt>> = {};
  for (const step of plan.steps) {
    receipts[step.name] = await new StepSender(config, plan, client, journal, tell).send(step);
    tell(`${step.name} ${step.address}, block ${receipts[step.name]!.blockNumber}`);
  }
  return receipts;
}

class StepSender {
  readonly #config: DeployConfig;
  readonly #plan: DeployPlan;
  readonly #client: PublicClient;
  readonly #journal: DeployJournal;
  readonly #tell: (text: string) => void;

  constructor(
    config: DeployConfig,
    plan: DeployPlan,
    client: PublicClient,
    journal: DeployJournal,
    tell: (text: string) => void,
  ) {
    this.#config = config;
    this.#plan = plan;
    this.#client = client;
    this.#journal = journal;
    this.#tell = tell;
  }

  async send(step: DeployStep): Promise<TransactionReceipt> {
    let receipt = await this.#receipt(step);
    if (receipt === null) {
      await this.#requireNonce(step);
      const last = this.#attempts(step).at(-1);
      if (last === undefined) await this.#sign(step, null);
      else await this.#broadcast(step, last);
    }
    let sentAtMs = Date.now();
    const head = new StalledHead(this.#tell);
    for (;;) {
      receipt = await this.#receipt(step);
      if (receipt !== null && (await this.#isDeep(receipt))) break;
      if (receipt === null && Date.now() - sentAtMs > RESEND_AFTER_MS) {
        await this.#requireNonce(step);
        await this.#sign(step, this.#attempts(step).at(-1)!);
        sentAtMs = Date.now();
      }
      head.look(await this.#client.getBlockNumber({ cacheTime: 0 }));
      await sleep(POLL_MS);
    }
    const { status, transactionHash } = receipt;
    const code = await this.#client.getCode({ address: step.address });
    if (status === "success" && code !== undefined) return receipt;
    throw operatorError("CMD_DEPLOY_FAILED", `${transactionHash} was mined, and ${step.name} is not there`, {
      data: { reason: "reverted", name: step.name, transactionHash, status },
    });
  }

  #attempts(step: DeployStep): Attempt[] {
    this.#journal.attempts[step.name] ??= [];
    return this.#journal.attempts[step.name]!;
  }

  /** Returns the receipt of the attempt that was mined: all have one nonce. */
  async #receipt(step: DeployStep): Promise<TransactionReceipt | null> {
    for (const { hash } of this.#attempts(step)) {
      try {
        return await this.#client.getTransactionReceipt({ hash });
      } catch (error) {
        if ((error as Error).name !== "TransactionReceiptNotFoundError") throw error;
      }
    }
    return null;
  }

  async #isDeep({ blockNumber }: TransactionReceipt): Promise<boolean> {
    const head = await this.#client.getBlockNumber({ cacheTime: 0 });
    const { chainId, confirmations = defaultConfirmations(chainId) } = this.#config.l1;
    return head - blockNumber + 1n >= BigInt(confirmations);
  }

  async #requireNonce({ address, name, nonce }: DeployStep): Promise<void> {
    const { deployer } = this.#plan;
    const next = await this.#client.getTransactionCount({ address: deployer.address, blockTag: "latest" });
    if (next <= nonce) return;
    throw operatorError(
      "CMD_DEPLOY_FAILED",
      `${deployer.address} has sent another transaction with nonce ${nonce}, so ${name} cannot come to ${address}`,
      { data: { reason: "nonce-taken", deployer: deployer.address, name, nonce, next } },
    );
  }

  /** Signs an attempt: it is written to disk first, then sent. */
  async #sign(step: DeployStep, last: Attempt | null): Promise<void> {
    const { spendingCap } = this.#config;
    const { fees, market } = await cappedFees(this.#client, spendingCap);
    const raised = last === null ? fees : replacementFees(last, market, spendingCap.maxFeePerGasWei);
    if (raised === null) {
      this.#tell(`${step.name} waits: a replacement would pay more than maxFeeGwei allows`);
      return;
    }
    const gas =
      last === null
        ? paddedGas(
            await this.#client.estimateGas({
              account: this.#plan.deployer.address,
              data: step.data,
              value: step.valueWei,
            }),
          )
        : parseTransaction(last.raw as `0x02${string}`).gas!;
    const raw = await this.#plan.deployer.signTransaction({
      type: "eip1559",
      chainId: this.#config.l1.chainId,
      nonce: step.nonce,
      data: step.data,
      value: step.valueWei,
      gas,
      maxFeePerGas: raised.maxFeePerGasWei,
      maxPriorityFeePerGas: raised.maxPriorityFeePerGasWei,
    });
    this.#attempts(step).push({ hash: keccak256(raw), raw, ...raised });
    await writeJournal(this.#config.out, this.#journal);
    this.#tell(`${step.name}: ${last === null ? "sending" : "replacing"} ${keccak256(raw)}`);
    await this.#broadcast(step, this.#attempts(step).at(-1)!);
  }

  async #broadcast({ nonce }: DeployStep, { hash: transactionHash, raw }: Attempt): Promise<void> {
    const account = this.#plan.deployer.address;
    const { answer, refusal } = await sendSigned(this.#client, { raw, transactionHash, account, nonce });
    if (answer !== "taken") throw refusal;
  }
}
