/** In which order and in which shard Vitest runs the files: by the seconds that each took when it was measured last. */
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { longestFirst, readTimes, secondsOf, shardOf } from "./times.ts";

const times = readTimes();
const tier = process.env.TEST_TIER === "all" ? "all" : "core";
const seconds = (file: string) => secondsOf(times, tier, file);

function pick(files: TestSpecification[], choose: (paths: string[]) => string[]): TestSpecification[] {
  const byPath = new Map(files.map((file) => [relative(file.project.config.root, file.moduleId), file]));
  return choose([...byPath.keys()].sort()).map((path) => byPath.get(path)!);
}

export default class extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return pick(files, (paths) => longestFirst(paths, seconds));
  }

  override async shard(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { shard } = this.ctx.config;
    return shard === undefined ? files : pick(files, (paths) => shardOf(paths, seconds, shard));
  }
}
