/** A rollup with pages, as `npm start` has it but with the smallest circuit: real processes, a real chain, real proofs. */
import { dirname, join } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import type { BatchShape } from "@openledger/circuits/protocol";
import { leafExitCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { exitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import { drillAccount } from "@openledger/scripts/internal/drill/drill-accounts";
import {
  buildDrillCircuit,
  DRILL_SIZES,
  type DrillCircuit,
} from "@openledger/scripts/internal/drill/drill-circuit";
import { DrillWorld } from "@openledger/scripts/internal/drill/drill-world";
import { createWalletClient, http, parseEther } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { buildPages } from "../build/build-pages.ts";
import { circuitsOfDeployment } from "../build/verifying-keys.ts";

const MNEMONIC = "test test test test test test test test test test test junk";
/** Those of the test wallets in `web/ledger/test-wallet.ts`. */
const VISITORS = [11, 12];
export const FUNDED_WEI = parseEther("100");
const FINALITY_BLOCKS = 6;
const SLOTS = 2;

export function visitorAddress(index: 0 | 1): `0x${string}` {
  return mnemonicToAccount(MNEMONIC, { addressIndex: VISITORS[index]! }).address;
}

/** The circuit of leaves' exits, with development keys. */
async function buildLeafExit(): Promise<DrillCircuit> {
  const compiled = await compileCircuit(leafExitCircuitSpec());
  return { sizes: exitSizes(), compiled, proving: await developmentSetup(compiled, {}) };
}

/** Folder of the pages with the world's keys. */
export async function pagesPathOf(
  exit: DrillCircuit | null = null,
  shape: BatchShape = DRILL_SIZES.get(SLOTS)!.shape,
): Promise<string> {
  // The world's own circuit, which it takes from the cache then.
  const { sizes, proving } = await buildDrillCircuit(shape);
  const verificationKeyPath = join(dirname(proving.zkeyPath), "verification-key.json");
  const { path } = await buildPages({
    circuits: circuitsOfDeployment([{ ...sizes, isDevelopment: true, verificationKeyPath }]),
    exits: (exit === null ? [] : [exit]).map(({ compiled, proving: { wasmPath, zkeyPath } }) => ({
      name: compiled.name,
      wasmPath,
      zkeyPath,
    })),
  });
  return path;
}

export interface PagesWorldOptions {
  /** Can be frozen and left; default: as other pages need it, it cannot. */
  readonly hasExit?: boolean;
  /** Of batches; the smallest drills' unless told. */
  readonly shape?: BatchShape;
}

/** The test wallets hold 100 OPEN on L1, and ether. */
export async function startPagesWorld(
  name: string,
  { hasExit = false, shape = DRILL_SIZES.get(SLOTS)!.shape }: PagesWorldOptions = {},
): Promise<DrillWorld & { readonly pagesPath: string }> {
  const exit = hasExit ? await buildLeafExit() : null;
  const path = await pagesPathOf(exit, shape);
  const world = await DrillWorld.start({
    name,
    backend: "wasm",
    slots: SLOTS,
    shape,
    confirmations: 1,
    finalityDepthBlocks: FINALITY_BLOCKS,
    keepIn: null,
    pagesPath: path,
    ...(exit === null ? {} : { others: [exit] }),
  });
  const { client, deployment, url } = world.l1;
  const faucet = createWalletClient({
    chain: foundry,
    transport: http(url),
    account: drillAccount("faucet"),
  });
  for (const index of [0, 1] as const) {
    const address = visitorAddress(index);
    await client.setBalance({ address, value: parseEther("10") });
    const hash = await faucet.writeContract({
      address: deployment.tokenAddress,
      abi: openTokenAbi,
      functionName: "transfer",
      args: [address, FUNDED_WEI],
    });
    await client.waitForTransactionReceipt({ hash });
  }
  return Object.assign(world, { pagesPath: path });
}
