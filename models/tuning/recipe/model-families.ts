/**
 * Table of the kinds of models that can be registered, direct (logistic) and text (language models), and how each is trained.
 * Commands, servers and the devnet load them here. A new family is added here and in web/ask.
 */

import { availableParallelism } from "node:os";
import type { FamilyTraining, ModelFamily } from "@openledger/attribution/model/model-family";
import type { TrainingSetting } from "./text-training.ts";

/** Places where files of base models and word vectors are looked for, beside those that come with this software. */
interface BaseSources {
  /** Folder or address of a base. */
  readonly base?: string | undefined;
  /** Model's server, which has the files that it answers with. */
  readonly serverUrl?: string | undefined;
}

/** Families for anyone who reads, serves, asks or settles models. Loaded when asked for: engines are much code. */
export async function modelFamilies(offsets: BaseSources = {}): Promise<readonly ModelFamily[]> {
  const [{ directFamilyOf }, { readVectorsFrom }, { textFamily }, setting] = await Promise.all([
    import("@openledger/attribution/model/direct/direct-family"),
    import("../vectors/vector-places.ts"),
    import("./text-family.ts"),
    textSetting(offsets),
  ]);
  return [directFamilyOf(readVectorsFrom(offsets)), textFamily(setting)];
}

/** Trainings for anyone who makes models, or checks how they were made. */
export async function modelTrainings(offsets: BaseSources = {}): Promise<readonly FamilyTraining[]> {
  const [{ directTrainingOf }, { readVectorsFrom }, { textFamily }, { textTraining }, setting] =
    await Promise.all([
      import("@openledger/attribution/model/direct/direct-training"),
      import("../vectors/vector-places.ts"),
      import("./text-family.ts"),
      import("./text-training.ts"),
      textSetting(offsets),
    ]);
  return [directTrainingOf(readVectorsFrom(offsets)), textTraining(textFamily(setting), setting)];
}

export async function textSetting({ base, serverUrl }: BaseSources): Promise<TrainingSetting> {
  const [
    { baseSourceAt, OWN_BASE },
    { readFrom, readFromServer },
    { nativeKernelSets },
    { MAX_THREAD_COUNT },
    { readVectorsFrom },
  ] = await Promise.all([
    import("../base/base-address.ts"),
    import("./base-files.ts"),
    import("../../engine/kernels/native-kernels.ts"),
    import("../../engine/kernels/kernels.ts"),
    import("../vectors/vector-places.ts"),
  ]);
  const paths = base === undefined ? [OWN_BASE] : [base, OWN_BASE];
  const folders = paths.map((path) => readFrom(baseSourceAt(path)));
  return {
    bases: serverUrl === undefined ? folders : [...folders, readFromServer(serverUrl)],
    // Both give the same bytes; the native ones are faster if they were built.
    kernels: nativeKernelSets().length > 0 ? "native" : "wasm",
    readEncoder: readVectorsFrom({ serverUrl }),
    threadCount: Math.min(availableParallelism(), MAX_THREAD_COUNT),
  };
}
