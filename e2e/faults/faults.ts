/** Every fault that is made on a rollup under load. */
import { clockJumpFault } from "./clock-jump.ts";
import { corruptStoreFault } from "./corrupt-store.ts";
import {
  commitUnansweredFault,
  databaseFullFault,
  databaseHangsFault,
  databaseKilledFault,
  hostKilledFault,
} from "./database.ts";
import type { Fault } from "./fault.ts";
import { fullDiskFault } from "./full-disk.ts";
import { killFault } from "./kill.ts";
import { l1AnswersFault } from "./l1-answers.ts";
import { eventLeftOutFault, frozenHeadFault } from "./l1-silence.ts";
import { otherMachineFault } from "./other-machine.ts";
import { baseFeeFault, droppedTransactionFault } from "./pending-transaction.ts";
import { reorgFault } from "./reorg.ts";
import {
  emptyDirectoryFault,
  oldBackupFault,
  olderFormatFault,
  otherRollupFault,
} from "./wrong-directory.ts";

export const FAULTS: readonly Fault[] = [
  killFault,
  otherMachineFault,
  l1AnswersFault,
  eventLeftOutFault,
  frozenHeadFault,
  droppedTransactionFault,
  baseFeeFault,
  reorgFault,
  fullDiskFault,
  corruptStoreFault,
  emptyDirectoryFault,
  oldBackupFault,
  otherRollupFault,
  olderFormatFault,
  clockJumpFault,
  databaseKilledFault,
  databaseFullFault,
  databaseHangsFault,
  commitUnansweredFault,
  hostKilledFault,
];
