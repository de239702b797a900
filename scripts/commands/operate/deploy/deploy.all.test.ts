import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { dataTwins } from "@openledger/circuits/registry/circuit-sizes";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { deriveKey } from "@openledger/client/l2-key";
import { preconfirmationBondAbi } from "@openledger/contracts/bond/bond-abi";
import { compileContracts, compilerInput, pickContract } from "@openledger/contracts/build/compile";
import { openGovernorAbi, rollupRegistryAbi } from "@openledger/contracts/build/governance-abi";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import {
  createPublicClient,
  createTestClient,
  createWalletClient,
  http,
  parseEther,
  publicActions,
  toHex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { carryOut, describeDeployment, prepareDeployment } from "./deploy.ts";
import { loadDeployConfig } from "./deploy-config.ts";

const account = anvilAccount;
const secretOf = (index: number) => toHex(account(index).getHdKey().privateKey!);
const [DEPLOYER, OPERATOR, TREASURY, HOLDER] = [4, 5, 6, 7];
const CIRCUITS = ["table-1-1-1-2-1-1-1", "leaf-exit", "payee-exit-4"];
const TWIN = "table-1-1-1-2-1-1-1-blob";
const quiet = () => {};

let anvil: Anvil;
let other: Anvil;
let proxy: Awaited<ReturnType<typeof startProxy>>;
let folder: string;

/** An Ethereum node that can be told to die, for anyone who asks, at the n-th request. */
async function startProxy(url: () => string) {
  const state = {
    methods: [] as string[],
    dieAt: Number.POSITIVE_INFINITY,
    isForwarding: false,
    /** All requests behind the first of this method die. */
    diesBehind: null as string | null,
    onDeath: quiet,
  };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const { id, method, params } = JSON.parse(body.toString()) as {
      id: number;
      method: string;
      params?: unknown[];
    };
    state.methods.push(method);
    // As Hardhat's node refuses a state override.
    if (/^eth_(call|estimateGas)$/.test(method) && params!.length > 2) {
      const error = { code: -32602, message: "trailing characters" };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ jsonrpc: "2.0", id, error }));
      return;
    }
    const isDead = state.methods.length >= state.dieAt;
    if (method === state.diesBehind) state.dieAt = 0;
    const forward = () =>
      fetch(url(), { method: "POST", body, headers: { "content-type": "application/json" } }).then((answer) =>
        answer.text(),
      );
    // What dies here may have sent its request, or not.
    const answer = isDead && !state.isForwarding ? null : await forward().catch(() => null);
    if (isDead) state.onDeath();
    if (isDead || answer === null) response.destroy();
    else response.writeHead(200, { "content-type": "application/json" }).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function writeConfig(changes: object = {}, name = "deploy.json"): string {
  for (const [file, index] of [
    ["deployer-key", DEPLOYER],
    ["operator-key", OPERATOR],
  ] as const)
    writeFileSync(join(folder, file), `${secretOf(index)}\n`, { mode: 0o600 });
  const config = {
    l1: { rpcUrl: proxy.url, chainId: 31337, confirmations: 1 },
    deployerKeyFile: "deployer-key",
    token: { holder: account(HOLDER).address },
    operator: { keyFile: "operator-key" },
    treasuryOwner: account(TREASURY).address,
    circuits: CIRCUITS,
    keys: "development",
    out: "out",
    ...changes,
  };
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(config));
  return path;
}
const deploy = async (path: string) => carryOut(await prepareDeployment(path, quiet), quiet);
const client = () => createPublicClient({ transport: http(anvil.url), cacheTime: 0 });

beforeAll(async () => {
  [anvil, other] = await Promise.all([startAnvil(), startAnvil({ chainId: 1337 })]);
  proxy = await startProxy(() => anvil.url);
});
afterAll(async () => {
  proxy.stop();
  await Promise.all([anvil.stop(), other.stop()]);
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "openledger-deploy-"));
  Object.assign(proxy.state, { methods: [], dieAt: Number.POSITIVE_INFINITY, isForwarding: false });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("openledger deploy", () => {
  it("says in a dry run what it does, what it costs and what it fixes, and sends nothing", async () => {
    const path = writeConfig();
    const nonceOf = () => client().getTransactionCount({ address: account(DEPLOYER).address });
    const before = await nonceOf();
    const prepared = await prepareDeployment(path, quiet);
    const text = describeDeployment(prepared).join("\n");
    expect(text).toContain("what can never be changed");
    expect(text).toContain(account(OPERATOR).address);
    expect(text).toContain("table-1-1-1-2-1-1-1: DEVELOPMENT KEY");
    expect(prepared.warnings).toEqual([expect.stringContaining("DEVELOPMENT KEYS")]);
    expect(prepared.cost.nowWei).toBeGreaterThan(0n);
    expect(proxy.state.methods).not.toContain("eth_sendRawTransaction");
    expect(await nonceOf()).toBe(before);
    expect(readdirSync(folder).sort()).toEqual(["deploy.json", "deployer-key", "operator-key"]);
    // What it said is what then happens, and costs no more than it said.
    const result = await carryOut(prepared, quiet);
    expect(result.gasUsed).toBeLessThanOrEqual(prepared.cost.gas);
    expect(Number(result.gasUsed)).toBeGreaterThan(0.9 * Number(prepared.cost.gas));
  });

  it("deploys what the record says, with the operator's ledger key that every command derives", async () => {
    const { recordPath } = await deploy(writeConfig({ idFee: "0.5", queueCapacity: 128 }));
    const record = loadDeployment(recordPath);
    const rollup = { address: record.rollupAddress, abi: rollupAbi } as const;
    const read = (functionName: "sequencer" | "idFeeWei" | "queueCapacity" | "circuitCount" | "token") =>
      client().readContract({ ...rollup, functionName });
    expect(await read("sequencer")).toBe(account(OPERATOR).address);
    expect(await read("idFeeWei")).toBe(parseEther("0.5"));
    expect(await read("queueCapacity")).toBe(128);
    expect(await read("token")).toBe(record.tokenAddress);
    const state = await client().readContract({ ...rollup, functionName: "state" });
    expect(state.root).toBe(record.genesis.root);
    for (const [i, { circuitId, name }] of record.circuits.entries()) {
      const onL1 = await client().readContract({ ...rollup, functionName: "circuits", args: [BigInt(i)] });
      expect(BigInt(onL1.circuitId), name).toBe(circuitId);
    }
    const wallet = privateKeyToAccount(secretOf(OPERATOR));
    const key = await deriveKey({ wallet, chainId: 31337, rollupAddress: record.rollupAddress });
    expect(record.genesis.operatorKeyX).toBe(key.keyX);
    const balance = await client().readContract({
      address: record.tokenAddress,
      abi: openTokenAbi,
      functionName: "balanceOf",
      args: [account(HOLDER).address],
    });
    expect(balance).toBe(10n ** 27n);
  });

  it("gives the treasury to a timelock that votes act through, and says what they can change", async () => {
    const votes = { votingDelayBlocks: 3, votingPeriodBlocks: 9, proposalThreshold: "5", quorumPercent: 7 };
    const path = writeConfig({ treasuryOwner: undefined, governance: votes });
    const prepared = await prepareDeployment(path, quiet);
    const { governance, rollup } = prepared.plan;
    const text = describeDeployment(prepared).join("\n");
    expect(text).toContain("no decision sooner than 30 days");
    expect(text).toContain("3 blocks until votes count, 9 to vote, 5 OPEN to propose, 7 % quorum");
    expect(prepared.warnings).toContainEqual(expect.stringContaining("may be too late"));
    const { gasUsed, recordPath, verificationFolder } = await carryOut(prepared, quiet);
    expect(gasUsed).toBeLessThanOrEqual(prepared.cost.gas);
    const record = loadDeployment(recordPath);
    const { governor, registry, timelock } = record.governance!;
    expect({ governor, registry, timelock }).toMatchObject({ governor: governance!.governor });
    expect([record.genesis.treasuryOwner, rollup.treasuryOwner]).toEqual([timelock, timelock]);
    const ask = { address: governor, abi: openGovernorAbi } as const;
    expect(await client().readContract({ ...ask, functionName: "timelock" })).toBe(timelock);
    expect(await client().readContract({ ...ask, functionName: "proposalThreshold" })).toBe(parseEther("5"));
    const named = { address: registry, abi: rollupRegistryAbi, functionName: "latest" } as const;
    const [latest, number] = await client().readContract(named);
    expect({ rollup: latest.rollup, number }).toEqual({ rollup: record.rollupAddress, number: 1n });
    expect(latest.sourcesHash).toBe(`0x${record.contractsHash}`);
    expect(readdirSync(verificationFolder)).toContain("standard-input-governance.json");
    await expect(
      prepareDeployment(writeConfig({ governance: votes }, "both.json"), quiet),
    ).rejects.toMatchObject({ code: "CMD_DEPLOY_REFUSED", data: { reason: "config-invalid" } });
    const hasty = writeConfig({ treasuryOwner: undefined, governance: { delayDays: 29 } }, "hasty.json");
    await expect(prepareDeployment(hasty, quiet)).rejects.toMatchObject({
      code: "CMD_DEPLOY_REFUSED",
      data: { reason: "config-invalid" },
    });
    const alone = { circuits: ["table-4-2-1-6-2-3-1-blob", "leaf-exit"], twin: false };
    const blobs = writeConfig(alone, "blobs.json");
    await expect(prepareDeployment(blobs, quiet)).rejects.toMatchObject({
      code: "CMD_DEPLOY_REFUSED",
      data: { reason: "no-plain-batch" },
    });
    for (const half of [["sharded-3-3-3-2"], ["shard-4-3-3-2"], ["sharded-3-3-3-2", "shard-4-3-3-4"]]) {
      const unmatched = writeConfig({ circuits: [...CIRCUITS, ...half] }, "unmatched.json");
      await expect(prepareDeployment(unmatched, quiet), `${half}`).rejects.toMatchObject({
        code: "CMD_DEPLOY_REFUSED",
        data: { reason: "config-invalid", fields: ["circuits"] },
      });
    }
    const circuits = [...CIRCUITS, "sharded-3-3-3-2", "shard-4-3-3-2", "table-4-2-1-6-2-3-1"];
    expect(loadDeployConfig(writeConfig({ circuits, twin: false }, "more.json")).circuits).toEqual(circuits);
  });

  it("registers the first circuit's twin unless it is told not to, and then says what is lost", async () => {
    const prepared = await prepareDeployment(writeConfig(), quiet);
    expect(prepared.circuits.map(({ record }) => record.name)).toEqual([...CIRCUITS, TWIN]);
    expect(describeDeployment(prepared).join("\n")).toContain("data        calldata or a blob");
    const { recordPath } = await carryOut(prepared, quiet);
    const { circuits } = loadDeployment(recordPath);
    expect(dataTwins(circuits)).toMatchObject({ blob: { name: TWIN }, calldata: { name: CIRCUITS[0] } });

    const without = await prepareDeployment(writeConfig({ twin: false, out: "without" }), quiet);
    expect(without.circuits.map(({ record }) => record.name)).toEqual(CIRCUITS);
    expect(describeDeployment(without).join("\n")).toContain("data        calldata alone");
    expect(without.warnings).toContainEqual(expect.stringContaining("in calldata for good"));

    const many = [...CIRCUITS, ...Array.from({ length: 13 }, (_, i) => `payee-exit-${i + 5}`)];
    expect(() => loadDeployConfig(writeConfig({ circuits: many }, "many.json"))).toThrow(
      expect.objectContaining({ code: "CMD_DEPLOY_REFUSED" }),
    );
    expect(loadDeployConfig(writeConfig({ circuits: many, twin: false }, "many.json")).circuits).toEqual(
      many,
    );

    // The keys of a ceremony of before, and none of the twin: said before any is read.
    const keys = { folder: "keys", ptau: "made.ptau" };
    await expect(prepareDeployment(writeConfig({ keys, out: "keyless" }), quiet)).rejects.toMatchObject({
      code: "CMD_DEPLOY_REFUSED",
      data: { reason: "no-twin-key", name: TWIN },
    });
  });

  it("bonds the sequencer with ETH of the deployer's, needs that on other chains, and takes no 0", async () => {
    const path = writeConfig({ bond: "2.5" });
    const prepared = await prepareDeployment(path, quiet);
    expect(describeDeployment(prepared).join("\n")).toContain("2.5 ETH in 0x");
    const { gasUsed, recordPath, verificationFolder } = await carryOut(prepared, quiet);
    expect(gasUsed).toBeLessThanOrEqual(prepared.cost.gas);
    const { bond, rollupAddress } = loadDeployment(recordPath);
    expect(bond).toBe(prepared.plan.bondAddress);
    const ask = { address: bond!, abi: preconfirmationBondAbi } as const;
    expect(await client().readContract({ ...ask, functionName: "bondWei" })).toBe(parseEther("2.5"));
    expect(await client().readContract({ ...ask, functionName: "rollup" })).toBe(rollupAddress);
    expect(await client().readContract({ ...ask, functionName: "sequencer" })).toBe(
      account(OPERATOR).address,
    );
    const files = ["standard-input-bond.json", "PreconfirmationBond.json"];
    expect(readdirSync(verificationFolder)).toEqual(expect.arrayContaining(files));
    await expect(prepareDeployment(writeConfig({ bond: "3" }), quiet)).rejects.toMatchObject({
      code: "CMD_DEPLOY_FAILED",
      data: { reason: "journal-differs" },
    });
    const elsewhere = { l1: { rpcUrl: other.url, chainId: 1337, confirmations: 1 } };
    for (const changes of [elsewhere, { bond: "0" }, { bond: "5 ETH" }])
      await expect(prepareDeployment(writeConfig(changes, "unbonded.json"), quiet)).rejects.toMatchObject({
        code: "CMD_DEPLOY_REFUSED",
        data: { reason: "config-invalid", fields: ["bond"] },
      });
  });

  it("deploys once however often it is killed: at each of its requests, sent or not", async () => {
    const path = writeConfig();
    const deployed = new Set<string>();
    let killCount = 0;
    // Each start gets a few requests further than the one before; half of the fatal ones reach the node.
    for (let dieAt = 14; ; dieAt += 1) {
      Object.assign(proxy.state, { methods: [], dieAt, isForwarding: dieAt % 2 === 0 });
      try {
        await deploy(path);
        break;
      } catch (error) {
        expect((error as { code?: string }).code ?? "", String(error)).toMatch(
          /^$|CON_DEPLOY_FAILED|BRG_L1_UNREACHABLE|-/,
        );
        killCount += 1;
      }
      const journal = join(folder, "out/deploy-journal.json");
      if (existsSync(journal)) deployed.add(JSON.parse(readFileSync(journal, "utf8")).firstNonce);
    }
    expect(killCount).toBeGreaterThan(4);
    expect(deployed.size).toBe(1);
    const [firstNonce] = [...deployed].map(Number);
    expect(await client().getTransactionCount({ address: account(DEPLOYER).address })).toBe(firstNonce! + 2);
    // And once more: nothing is left to do.
    Object.assign(proxy.state, { methods: [], dieAt: Number.POSITIVE_INFINITY });
    const again = await prepareDeployment(path, quiet);
    expect(again.plan.steps.every(({ isDone }) => isDone)).toBe(true);
    await carryOut(again, quiet);
    expect(proxy.state.methods).not.toContain("eth_sendRawTransaction");
  });

  it("goes on after kill -9 of the command itself", async () => {
    const path = writeConfig();
    const run = (isKilled: boolean) =>
      new Promise<{ status: number | null; stdout: string }>((resolve) => {
        const args = ["scripts/openledger.js", "deploy", "--config", path, "--yes", "--json"];
        const child = spawn(process.execPath, args, {
          cwd: repositoryRoot,
          stdio: ["ignore", "pipe", "ignore"],
        });
        let stdout = "";
        child.stdout.on("data", (part) => {
          stdout += part;
        });
        if (isKilled) proxy.state.onDeath = () => void child.kill("SIGKILL");
        child.on("close", (status) => resolve({ status, stdout }));
      });
    const sent = () => proxy.state.methods.filter((method) => method === "eth_sendRawTransaction").length;
    proxy.state.diesBehind = "eth_sendRawTransaction";
    const killed = await run(true);
    expect(killed.status).toBeNull();
    const calm = { dieAt: Number.POSITIVE_INFINITY, diesBehind: null, onDeath: quiet };
    Object.assign(proxy.state, { methods: [], ...calm });
    const ended = await run(false);
    expect(ended.status, ended.stdout).toBe(0);
    const answer = JSON.parse(ended.stdout) as { sent: boolean; rollupAddress: string; recordPath: string };
    expect(answer.sent).toBe(true);
    expect(loadDeployment(answer.recordPath).rollupAddress).toBe(answer.rollupAddress);
    expect(sent()).toBeLessThanOrEqual(2);
  });

  it("writes what an explorer needs: the compiler makes the deployed code of it", async () => {
    const { recordPath, verificationFolder } = await deploy(writeConfig());
    const read = (name: string) => JSON.parse(readFileSync(join(verificationFolder, name), "utf8"));
    // What the cache holds is what the compiler made of exactly this input: its key is the input's hash.
    const { contentHash, input: made } = await compilerInput();
    expect(read("standard-input.json")).toEqual(made);
    const contracts = await compileContracts();
    for (const name of ["OpenToken", "Rollup"]) {
      const facts = read(`${name}.json`);
      const { input } = await client().getTransaction({ hash: facts.transactionHash });
      const code = `${pickContract(contracts, name).bytecode}${facts.constructorArguments}`;
      const sha = (text: string) => createHash("sha256").update(text).digest("hex");
      expect(sha(code), name).toBe(sha(input));
      expect(facts.contractName).toBe(`contracts/rollup/${name}.sol:${name}`);
      expect(facts.compiler).toMatch(/^v0\.8\.\d+\+commit\.[0-9a-f]{8}$/);
    }
    expect(loadDeployment(recordPath).contractsHash).toBe(contentHash);
  });

  it("takes a token that exists only where its code is OpenToken's", async () => {
    const { recordPath } = await deploy(writeConfig());
    const { rollupAddress, tokenAddress } = loadDeployment(recordPath);
    const second = await deploy(writeConfig({ token: { existing: tokenAddress }, out: "second" }));
    expect(loadDeployment(second.recordPath).tokenAddress).toBe(tokenAddress);
    for (const existing of [rollupAddress, account(HOLDER).address])
      await expect(deploy(writeConfig({ token: { existing }, out: "third" }))).rejects.toMatchObject({
        code: "CMD_DEPLOY_REFUSED",
        data: { reason: "token-unknown" },
      });
    // One instruction changed is another token.
    const code = await client().getCode({ address: tokenAddress });
    const changed = createTestClient({ mode: "anvil", transport: http(anvil.url) }).extend(publicActions);
    const forged = "0x00000000000000000000000000000000000f0e1d";
    await changed.setCode({ address: forged, bytecode: `${code!.slice(0, -2)}5b` as `0x${string}` });
    await expect(deploy(writeConfig({ token: { existing: forged }, out: "third" }))).rejects.toMatchObject({
      code: "CMD_DEPLOY_REFUSED",
      data: { reason: "token-unknown" },
    });
  });

  it("refuses development keys on every other chain, before anything is sent", async () => {
    const l1 = { rpcUrl: other.url, chainId: 1337, confirmations: 1 };
    await expect(deploy(writeConfig({ l1, bond: "5" }))).rejects.toMatchObject({
      code: "CMD_DEPLOY_REFUSED",
      data: { reason: "development-keys" },
    });
    await expect(deploy(writeConfig({ l1: { ...l1, chainId: 31337 } }))).rejects.toMatchObject({
      code: "CMD_DEPLOY_REFUSED",
      data: { reason: "wrong-chain" },
    });
  });

  it("does not go on with another plan, or where its nonce was taken", async () => {
    Object.assign(proxy.state, { methods: [], dieAt: Number.POSITIVE_INFINITY, isForwarding: false });
    const path = writeConfig();
    const prepared = await prepareDeployment(path, quiet);
    // The first request that dies is the one after the token was sent.
    proxy.state.diesBehind = "eth_sendRawTransaction";
    await carryOut(prepared, quiet).catch(quiet);
    Object.assign(proxy.state, { methods: [], dieAt: Number.POSITIVE_INFINITY, diesBehind: null });
    await expect(deploy(writeConfig({ queueCapacity: 64 }))).rejects.toMatchObject({
      code: "CMD_DEPLOY_FAILED",
      data: { reason: "journal-differs", different: ["Rollup"] },
    });
    const wallet = createWalletClient({
      account: account(DEPLOYER),
      transport: http(anvil.url),
    });
    for (let i = 0; i < 2; i++) {
      const hash = await wallet.sendTransaction({ to: account(HOLDER).address, value: 1n, chain: null });
      await client().waitForTransactionReceipt({ hash });
    }
    writeConfig();
    await expect(deploy(path)).rejects.toMatchObject({
      code: "CMD_DEPLOY_FAILED",
      data: { reason: "nonce-taken" },
    });
  });

  it("names every wrong field, a key file that others may read, and an empty account", async () => {
    const wrong = writeConfig({ queueCapacity: 7, idFee: "x", treasuryOwner: "0x1", extra: 1 });
    await expect(deploy(wrong)).rejects.toMatchObject({
      code: "CMD_DEPLOY_REFUSED",
      data: {
        reason: "config-invalid",
        fields: expect.arrayContaining(["queueCapacity", "idFee", "treasuryOwner"]),
      },
    });
    const path = writeConfig();
    chmodSync(join(folder, "deployer-key"), 0o644);
    await expect(deploy(path)).rejects.toMatchObject({ code: "CIR_SECRET_FILE", data: { reason: "open" } });
    writeConfig();
    writeFileSync(join(folder, "poor-key"), `0x${"7".repeat(64)}`, { mode: 0o600 });
    await expect(deploy(writeConfig({ deployerKeyFile: "poor-key" }))).rejects.toMatchObject({
      code: "CMD_DEPLOY_REFUSED",
      data: { reason: "no-ether" },
    });
  });
});
