/**
 * Schema of the configuration file of `openledger deploy`. Paths in it are relative to the file; amounts are OPEN as people
 * write them.
 */

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { unmatchedShardCircuit, withTwin } from "@openledger/circuits/registry/circuit-sizes";
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";
import { parseStrictJson } from "@openledger/foundation/exact-json";
import { textOfFile } from "@openledger/foundation/utf8";
import { type Address, getAddress, isAddress, parseEther, parseGwei } from "viem";
import { z } from "zod";
import { operatorError } from "../../../cli/operator-errors.ts";

const MAX_CIRCUITS = 16;

const address = z
  .string()
  .refine((text) => isAddress(text), "is no Ethereum address, or its checksum is wrong")
  .transform((text): Address => getAddress(text));
const open = z.string().transform((text, context) => {
  try {
    return parseOpen(text);
  } catch {
    context.addIssue({ code: "custom", message: `"${text}" is no amount of OPEN` });
    return z.NEVER;
  }
});
const ether = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,18})?$/, "is no amount of ETH, as text")
  .transform((text) => parseEther(text))
  .refine((wei) => wei > 0n, "is 0, which secures nothing");
const gwei = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,9})?$/, "is no number of gwei, as text")
  .transform((text) => parseGwei(text));
const path = z.string().min(1);
const keyX = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/, "is not 0x-hex")
  .transform(BigInt)
  .refine((value) => value > 0n && value < FIELD_ORDER, "is no coordinate of a ledger key");

const fileSchema = z.strictObject({
  l1: z.strictObject({
    rpcUrl: z.url({ protocol: /^https?$/, error: "is not an http(s) URL" }),
    chainId: z.int().positive(),
    /** Blocks, its own included, until a contract counts as deployed; default: 3, and 1 on chain 31337. */
    confirmations: z.int().min(1).max(1_000).optional(),
  }),
  /** File with the private key of the account that pays; it gets no rights. */
  deployerKeyFile: path,
  token: z.union([z.strictObject({ holder: address }), z.strictObject({ existing: address })]),
  /**
   * Operator: posts batches, signs preconfirmations, and owns leaf 1, which gets the fees. It is the account of a key
   * file, or an address with the ledger key of that leaf.
   */
  operator: z.union([z.strictObject({ keyFile: path }), z.strictObject({ address, keyX })]),
  /** Owner of leaf 0. With `governance` instead, its timelock owns it. */
  treasuryOwner: address.optional(),
  governance: z
    .strictObject({
      /** Days between queueing a decision and carrying it out. */
      delayDays: z.int().min(30).max(3_650).default(30),
      votingDelayBlocks: z.int().min(1).max(1_000_000).default(50_400),
      votingPeriodBlocks: z.int().min(1).max(1_000_000).default(50_400),
      proposalThreshold: open.default(parseOpen("100000")),
      quorumPercent: z.int().min(1).max(100).default(4),
    })
    .optional(),
  /** Ether that the sequencer bonds at once, paid by the deployer; absent, on chain 31337 alone: no bond. */
  bond: ether.optional(),
  idFee: open.default(parseOpen("1")),
  minDeposit: open.default(parseOpen("1")),
  queueBaseFee: open.default(parseOpen("1")),
  queueCapacity: z.int().min(8).max(65_535).default(1_024),
  /** Circuits in the order in which batches name them; the first is the sequencer's. */
  circuits: z.array(z.string().min(1)).min(1).max(MAX_CIRCUITS),
  /** True if the first circuit's twin, for batches with their data in the other place, is registered behind them. */
  twin: z.boolean().default(true),
  /** Keys of a ceremony, or development keys, on chain 31337 alone. */
  keys: z.union([
    z.literal("development"),
    z.strictObject({
      /** A folder for each circuit, as `openledger ceremony` writes it. */
      folder: path,
      /** Powers of tau that the keys were made from. */
      ptau: path,
      /** Contributions that each key must have, without the beacon. */
      minContributions: z.int().min(1).default(1),
      /** Announced value that must have ended each key's ceremony; default: none is asked for. */
      beacon: z
        .string()
        .regex(/^(0x)?([0-9a-fA-F]{2}){1,255}$/, "is not 1 to 255 bytes as hex")
        .transform((text) => text.replace(/^0x/, "").toLowerCase())
        .optional(),
    }),
  ]),
  maxFeeGwei: gwei.default(parseGwei("200")),
  maxPriorityFeeGwei: gwei.default(parseGwei("10")),
  /** Folder of the record, the journal and what explorers need. */
  out: path,
});

/** Configuration with all amounts in wei; the file has OPEN, ETH and gwei. */
const configSchema = fileSchema.transform(
  ({ bond: bondWei, idFee, maxFeeGwei, maxPriorityFeeGwei, minDeposit, queueBaseFee, ...config }) => ({
    ...config,
    bondWei,
    idFeeWei: idFee,
    minDepositWei: minDeposit,
    queueBaseFeeWei: queueBaseFee,
    spendingCap: {
      maxFeePerGasWei: maxFeeGwei,
      maxPriorityFeePerGasWei: maxPriorityFeeGwei,
    },
  }),
);

export type DeployConfig = z.output<typeof configSchema>;

/** @returns the configuration; `circuits` has the twin @throws CMD_DEPLOY_REFUSED naming every field that is wrong */
export function loadDeployConfig(configPath: string): DeployConfig {
  let json: unknown;
  try {
    json = parseStrictJson(textOfFile(readFileSync(configPath)));
  } catch (cause) {
    throw operatorError("CMD_DEPLOY_REFUSED", `${configPath} cannot be read as JSON`, {
      data: { reason: "config-invalid", configPath },
      cause,
    });
  }
  const result = configSchema.safeParse(json);
  if (!result.success) {
    const lines = result.error.issues.map(
      (issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`,
    );
    throw operatorError("CMD_DEPLOY_REFUSED", `${configPath} is invalid: ${lines.join("; ")}`, {
      data: { reason: "config-invalid", fields: result.error.issues.map((issue) => issue.path.join(".")) },
    });
  }
  const config = result.data;
  if ((config.treasuryOwner === undefined) === (config.governance === undefined))
    throw operatorError(
      "CMD_DEPLOY_REFUSED",
      `${configPath} needs treasuryOwner, or governance whose timelock owns the treasury, and not both`,
      { data: { reason: "config-invalid", fields: ["treasuryOwner", "governance"] } },
    );
  if (config.bondWei === undefined && config.l1.chainId !== DEVNET_CHAIN_ID)
    throw operatorError(
      "CMD_DEPLOY_REFUSED",
      `${configPath} needs bond, the ETH that two preconfirmations of one place take from the sequencer (docs/explanation/trust.md)`,
      { data: { reason: "config-invalid", fields: ["bond"] } },
    );
  const repeated = config.circuits.find((name, i) => config.circuits.indexOf(name) !== i);
  if (repeated !== undefined)
    throw operatorError("CMD_DEPLOY_REFUSED", `circuits names ${repeated} twice`, {
      data: { reason: "config-invalid", fields: ["circuits"] },
    });
  const unmatched = unmatchedShardCircuit(config.circuits);
  if (unmatched !== undefined)
    throw operatorError(
      "CMD_DEPLOY_REFUSED",
      `${unmatched}: a sharded- circuit needs a shard- circuit of its features and draws, and the reverse`,
      { data: { reason: "config-invalid", fields: ["circuits"] } },
    );
  const circuits = config.twin ? withTwin(config.circuits) : config.circuits;
  if (circuits.length > MAX_CIRCUITS)
    throw operatorError(
      "CMD_DEPLOY_REFUSED",
      `circuits has ${MAX_CIRCUITS}, and ${circuits.at(-1)} is one more: leave one out, or set "twin": false`,
      { data: { reason: "config-invalid", fields: ["circuits", "twin"] } },
    );
  const folder = dirname(resolve(configPath));
  const at = (text: string) => resolve(folder, text);
  return {
    ...config,
    circuits,
    deployerKeyFile: at(config.deployerKeyFile),
    operator: "keyFile" in config.operator ? { keyFile: at(config.operator.keyFile) } : config.operator,
    keys:
      config.keys === "development"
        ? config.keys
        : { ...config.keys, folder: at(config.keys.folder), ptau: at(config.keys.ptau) },
    out: at(config.out),
  };
}
