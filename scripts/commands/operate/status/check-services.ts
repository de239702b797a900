/** The services of a rollup as `openledger status` sees them: by their own answers, and by what the sequencer heard of them. */
import { getBatch } from "@openledger/client/sequencer/batch-reads";
import { askSequencer } from "@openledger/foundation/wire/sequencer-request";
import { z } from "zod";
import { type SequencerStatus, statusSchema } from "@openledger/client/sequencer/sequencer-schemas";
import { bad, type Finding, found, good } from "./finding.ts";
