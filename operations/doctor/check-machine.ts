/** Of the machine: versions, files, room. */
import { existsSync, readFileSync } from "node:fs";
import { stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { compileCircuit, repositoryRoot } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import type { DeployedCircuit, Deployment } from "@openledger/circuits/registry/deployment";
import { compilerInput } from "@openledger/contracts/build/compile";
import { computeCircuitId } from "@openledger/contracts/build/verifying-key";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import { loadDeployedCircuits } from "@openledger/prover/keys/deployed-circuits";
import { ProvingKeyChecker } from "@openledger/prover/proving/proving-key";
import type { Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type Installation, installationPaths, readEnvFile } from "../installation/installation.ts";
import { settingProblems } from "../installation/plan-processes.ts";
import { bad, type Finding, good, looking } from "./finding.ts";

const LEAST_FREE_BYTES = 2 ** 30;
const LEAST_FREE_PART = 0.05;

export async function checkMachine(
  folder: string,
  installation: Installation,
  deployment: Deployment,
): Promise<Finding[]> {
  const findings = [checkNode(), checkNative(folder, installation)];
  for (const circuit of deployment.circuits) findings.push(await checkKey(circuit));
  findings.push(await checkContracts(deployment));
  findings.push(...(await checkSecrets(folder, installation, deployment)));
  for (const { kind, name } of installation.processes) {
    const path = installationPaths(folder).env(name);
    findings.push(
      await looking(
        "settings",
        name,
        `correct ${path}, or write it again with: openledger operator init`,
        async () => {
          const { mode } = await stat(path);
          if ((mode & 0o077) !== 0)
            return `${path} may be read by others: it names the Ethereum node, password and all`;
          return settingProblems(kind, readEnvFile(path), secretsOf(folder, installation));
        },
      ),
    );
  }
  const paths = installation.processes.flatMap(({ dataPath }) => (dataPath === null ? [] : [dataPath]));
  for (const path of new Set(paths)) findings.push(await checkDisk(path));
  return findings;
}

function checkNode(): Finding {
  const { engines } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  const wanted = engines.node.match(/\d+/g)!.map(Number);
  const found = process.versions.node.split(".").map(Number);
  const first = wanted.findIndex((part, i) => part !== (found[i] ?? 0));
  if (first === -1 || found[first]! > wanted[first]!) return good("node", process.versions.node);
  return bad(
    "node",
    process.versions.node,
    `the processes need Node ${engines.node}`,
    "install a newer Node",
  );
}

function checkNative(folder: string, { processes }: Installation): Finding {
  const isWanted = processes.some(({ kind, name }) => {
    const path = installationPaths(folder).env(name);
    return kind === "prover" && existsSync(path) && readEnvFile(path).PROVER_BACKEND === "native";
  });
  const isBuilt = existsSync(join(repositoryRoot, "prover/native/build/bn254-prover.node"));
  if (isBuilt || !isWanted) return good("native", isBuilt ? "built" : "not built, and not asked for");
  const remedy = "install g++ and Node's headers, then: node prover/native/build.js; or choose --prover wasm";
  return bad("native", "prover/native", "a prover asks for the native back end, and it is not built", remedy);
}

/** File, hash, circuit and verification key belong together, and are the record's. */
function checkKey(circuit: DeployedCircuit): Promise<Finding> {
  const remedy = "put the file of the ceremony back (docs/how-to/keys.md); contributors have copies";
  return looking("key", circuit.name, remedy, async () => {
    const [proving] = (await loadDeployedCircuits([circuit])).values();
    await new ProvingKeyChecker().check(proving!);
    const { sort, size0, size1, tableSizes, isDevelopment } = circuit;
    const key = toSolidityKey(proving!.verificationKey);
    if (computeCircuitId({ sort, size0, size1, tableSizes, isDevelopment, key }) !== circuit.circuitId)
      return `the key is not the one that the record names`;
    const compiled = await compileCircuit(circuitSpec(circuit.name));
    if (compiled.contentHash !== circuit.contentHash)
      return "this repository's circuit differs from the deployed one: use the release of the deployment";
    return existsSync(circuit.wasmPath)
      ? null
      : `${circuit.wasmPath} is not there: compile it with openledger ceremony new`;
  });
}

function checkContracts({ contractsHash }: Deployment): Promise<Finding> {
  return looking("contracts", "sources", "use the release that the deployment was made with", async () => {
    if (contractsHash === undefined) return null;
    const { contentHash } = await compilerInput();
    return contentHash === contractsHash ? null : "this repository's contracts differ from the deployed ones";
  });
}

function secretsOf(folder: string, { lease, processes }: Installation): string[] {
  const paths = installationPaths(folder);
  const hasModel = processes.some(({ kind }) => kind === "model-server");
  return [
    ...[paths.operatorToken, paths.proverToken, paths.operatorKey],
    ...(lease === null ? [] : [paths.replicaToken]),
    ...(hasModel ? [paths.modelKey] : []),
  ];
}

async function checkSecrets(
  folder: string,
  installation: Installation,
  deployment: Deployment,
): Promise<Finding[]> {
  const paths = installationPaths(folder);
  const files = secretsOf(folder, installation);
  return Promise.all(
    files.map((path) =>
      looking(
        "secret",
        path,
        `chmod 600 ${path}, or write it again with: openledger operator init`,
        async () => {
          const text = readSecretFile(path);
          if (path !== paths.operatorKey && path !== paths.modelKey)
            return text.length >= 16 ? null : "the token is shorter than 16 characters";
          if (!/^0x[0-9a-fA-F]{64}$/.test(text)) return "it does not hold 0x and 64 hex digits";
          const { address } = privateKeyToAccount(text as Hex);
          const { operatorOwner } = deployment.genesis;
          const isOperators = path === paths.operatorKey;
          return !isOperators || address.toLowerCase() === operatorOwner.toLowerCase()
            ? null
            : `it is the key of ${address}, and the operator is ${operatorOwner}`;
        },
      ),
    ),
  );
}

function checkDisk(path: string): Promise<Finding> {
  return looking("disk", path, "make room, or move the data to a larger disk", async () => {
    let existing = path;
    while (!existsSync(existing)) existing = dirname(existing);
    const { bavail, blocks, bsize } = await statfs(existing);
    const free = bavail * bsize;
    if (free >= LEAST_FREE_BYTES && bavail >= LEAST_FREE_PART * blocks) return null;
    return `${Math.floor(free / 2 ** 20)} MiB are free, ${Math.floor((100 * bavail) / blocks)} % of the disk`;
  });
}
