/** The end of a ceremony: the beacon, the check of the whole key from the circuit on, and the folder that a deployment takes. */

import { readFileSync } from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import { toHex } from "../ceremony/ceremony-api.ts";
import { contributionHash, splitRecord } from "../ceremony/contribution-record.ts";
import type { KeyMeta } from "../formats/key-meta.ts";
import { applyBeacon, type CeremonyOptions, exportKey, type ResolveCircuit } from "../keys/ceremony.ts";
import { readContributions, writeRoundKey } from "../keys/round-key.ts";
import { proverError } from "../prover-errors.ts";
import { CeremonyFolder, type FinishedCeremony } from "./ceremony-folder.ts";

interface FinishRequest {
  /** Of the ceremony. No coordinator may run in it. */
  readonly folder: string;
  readonly resolveCircuit: ResolveCircuit;
  readonly ptauPath: string;
  readonly beaconHex: string;
  readonly iterationsExp: number;
  /** Is made: what the prover and the deployment read. */
  readonly keyFolder: string;
}

/**
 * May be called again after a kill: until the last step nothing of the ceremony has changed. A key folder that was made by
 * then has to be removed first.
 *
 * @throws RollupError SRV_STORE_CORRUPT, PRV_CEREMONY_REFUSED, and as exportKey
 */
export async function finishCeremony(
  request: FinishRequest,
  options: CeremonyOptions = {},
): Promise<{ meta: KeyMeta; finished: FinishedCeremony }> {
  const { beaconHex, iterationsExp, keyFolder, ptauPath, resolveCircuit } = request;
  const folder = await CeremonyFolder.open(request.folder);
  const lastPath = folder.at("last.zkey");
  const endPath = folder.at("end.zkey");
  try {
    if (folder.finished() !== null)
      throw proverError("PRV_CEREMONY_REFUSED", "refused: the ceremony is finished", { data: {} });
    for (const path of [lastPath, endPath]) await rm(path, { force: true });
    const records = folder.entries.map(({ name }, i) => ({ record: folder.records[i]!, name }));
    const round = new Uint8Array(readFileSync(folder.roundPath));
    writeRoundKey(folder.at("first.zkey"), folder.shape, round, records, lastPath);
    await applyBeacon({ fromPath: lastPath, toPath: endPath, beaconHex, iterationsExp }, options);
    const { circuitName } = folder.facts;
    const exported = { circuitName, resolveCircuit, ptauPath, zkeyPath: endPath, folder: keyFolder };
    const { meta } = await exportKey(exported, options);
    await copyFile(endPath, folder.at("final.zkey"));
    const { record } = readContributions(endPath).records.at(-1)!;
    const finished = {
      ...{ beaconHex, iterationsExp, record: toHex(record) },
      hash: toHex(contributionHash(splitRecord(record))),
      zkeySha256: meta.zkeySha256,
      zkeyBytes: meta.zkeyBytes,
    };
    folder.writeFinished(finished);
    return { meta, finished };
  } finally {
    for (const path of [lastPath, endPath]) await rm(path, { force: true });
    folder.close();
  }
}
