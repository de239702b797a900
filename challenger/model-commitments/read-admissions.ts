/** Which rollups may take which models' Activations, by the registry. */
import { type Address, type PublicClient, toHex, zeroAddress } from "viem";
import { EventLog, type RawLog } from "../events/event-log.ts";
import {
  decodeRegistryEvent,
  type RegistryEvent,
  registrySelector,
  type WindowOptions,
} from "./read-windows.ts";

export interface ReadAdmission {
  readonly modelId: number;
  /** J. */
  readonly word: bigint;
  /** null where its statics promise no window, and so for every rollup. */
  readonly rollup: Address | null;
  readonly modelCommitmentId: bigint | null;
}

/** All, oldest first. @param options.modelId of this model alone */
export function readAdmissions(
  client: PublicClient,
  address: Address,
  { modelId }: WindowOptions = {},
): Promise<ReadAdmission[]> {
  const model = modelId === undefined ? null : toHex(modelId, { size: 32 });
  const log = new EventLog(client, []);
  return log.said(address, [registrySelector("Admitted"), null, model], admissionOf);
}

function admissionOf(log: RawLog): ReadAdmission {
  const { id, modelId, rollup, word } = decodeRegistryEvent(log).args as RegistryEvent<"Admitted">;
  const isPosted = rollup !== zeroAddress;
  return {
    modelId: Number(modelId),
    word,
    rollup: isPosted ? rollup : null,
    modelCommitmentId: isPosted ? id : null,
  };
}
