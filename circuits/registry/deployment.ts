/**
 * The deployment record: one JSON file that `openledger deploy` writes and every process reads. Field elements
 * and wei are strings in the file (0x-hex or decimal) and bigints here.
 */

import { readFileSync } from "node:fs";
import { z } from "zod";
import { circuitError } from "../circuit-errors.ts";
import type { Genesis } from "../ledger/ledger.ts";
import { type BatchShape, FIELD_ORDER, MAX_AMOUNT_WEI, MAX_PAYEE_COUNT } from "../protocol.ts";
import { batchShape, isNameOfSizes } from "./circuit-sizes.ts";

const integer = (max: bigint) =>
  z
    .string()
    .regex(/^(0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$/, "is neither 0x-hex nor decimal")
    .transform(BigInt)
    .refine((value) => value <= max, "is too large");
const element = integer(FIELD_ORDER - 1n);
const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "is not an L1 address")
  .transform((text) => text as `0x${string}`);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const circuitSchema = z
  .object({
    name: z.string().min(1),
    sort: count.max(5),
    /** Sizes by sort: see CircuitSizes. */
    size0: count.max(65_535),
    size1: count.max(MAX_PAYEE_COUNT),
    /** Sizes of a batch circuit's table; absent for other sorts. */
    tableSizes: integer(2n ** 64n - 1n).optional(),
    circuitId: integer(2n ** 256n - 1n),
    isDevelopment: z.boolean(),
    verificationKeyPath: z.string().min(1),
    zkeyPath: z.string().min(1),
    wasmPath: z.string().min(1),
    contentHash: z.string().min(1),
  })
  .refine((circuit) => isNameOfSizes(circuit.name, circuit), "has a name that is not its sizes'");

const deploymentSchema = z.object({
  chainId: count,
  rpcUrl: z.url(),
  tokenAddress: address,
  rollupAddress: address,
  deployedAtBlock: count,
  /** That block: a chain that begins anew has other ones. Absent in records of earlier versions. */
  deployedIn: z
    .object({
      blockHash: z.string().regex(/^0x[0-9a-f]{64}$/, "is no block's hash"),
      /** Seconds since 1970. */
      timestamp: count,
    })
    .optional(),
  domain: element,
  genesis: z.object({
    treasuryOwner: address,
    operatorOwner: address,
    operatorKeyX: element,
    root: element,
  }),
  idFeeWei: integer(MAX_AMOUNT_WEI),
  /** Hash of the contracts' sources, compiler and settings; absent in a devnet's record. */
  contractsHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Contracts that govern the treasury and name the next rollup; absent without governance. */
  governance: z.object({ governor: address, timelock: address, registry: address }).optional(),
  /** The sequencer's bond; absent without one. */
  bond: address.optional(),
  circuits: z.array(circuitSchema).min(1),
});

export type Deployment = z.output<typeof deploymentSchema>;
export type DeployedCircuit = Deployment["circuits"][number];

/** @throws CIR_DEPLOYMENT_INVALID naming every field that is wrong. */
export function parseDeployment(json: string): Deployment {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw circuitError("CIR_DEPLOYMENT_INVALID", "the deployment record is not JSON", { cause });
  }
  const result = deploymentSchema.safeParse(value);
  if (result.success) return result.data;
  throw circuitError("CIR_DEPLOYMENT_INVALID", z.prettifyError(result.error), {
    data: { fields: result.error.issues.map((issue) => issue.path.join(".")) },
  });
}

/** @throws CIR_DEPLOYMENT_INVALID */
export function loadDeployment(path: string): Deployment {
  let json: string;
  try {
    json = readFileSync(path, "utf8");
  } catch (cause) {
    throw circuitError("CIR_DEPLOYMENT_INVALID", `the deployment record ${path} cannot be read`, {
      data: { path },
      cause,
    });
  }
  return parseDeployment(json);
}

/** The file's text; `parseDeployment` reads it back. */
export function encodeDeployment(deployment: Deployment): string {
  const hex = (_key: string, value: unknown) =>
    typeof value === "bigint" ? `0x${value.toString(16)}` : value;
  return `${JSON.stringify(deployment, hex, 2)}\n`;
}

/** Genesis of a deployment, the input of `genesisLedger`. */
export function genesisOf(deployment: Deployment): Genesis {
  const { treasuryOwner, operatorOwner, operatorKeyX } = deployment.genesis;
  return { treasuryOwner: BigInt(treasuryOwner), operatorOwner: BigInt(operatorOwner), operatorKeyX };
}

/** @throws CIR_CIRCUIT_UNKNOWN */
export function shapeOf(circuit: DeployedCircuit): BatchShape {
  return batchShape(circuit);
}
