/** `openledger models`: the group of models' commands, each in a file of its own. */
import type { Command } from "commander";
import { withExample } from "../../cli/run-command.ts";
import { addModelAskCommand } from "./model-ask-command.ts";
import { addModelCardCommand } from "./model-card-command.ts";
import { addModelCertificateCommand } from "./model-certificate-command.ts";
import { addModelKeysCommand } from "./model-keys-command.ts";
import { addModelRegisterCommand } from "./model-register-command.ts";
import { addModelServeCommand } from "./model-serve-command.ts";
import { addModelCloseEpochCommand, addModelSettleCommand } from "./model-settle-command.ts";
import { addModelShowCommand } from "./model-show-command.ts";
import { addModelBaseCommand } from "./training/model-base-command.ts";
import { addModelExportCommand } from "./training/model-export-command.ts";
import { addModelGenerateCommand } from "./training/model-generate-command.ts";
import { addModelTrainCommand } from "./training/model-train-command.ts";
import { addModelTuneCommand } from "./training/model-tune-command.ts";
import { addModelVectorsCommand } from "./training/model-vectors-command.ts";

export function addModelsCommands(program: Command): void {
  const models = program
    .command("models")
    .description("train, register, serve, ask and settle models that pay for their rows");
  withExample(models, "models show 15");
  addModelTrainCommand(models);
  addModelRegisterCommand(models);
  addModelServeCommand(models);
  addModelKeysCommand(models);
  addModelAskCommand(models);
  addModelCloseEpochCommand(models);
  addModelSettleCommand(models);
  addModelShowCommand(models);
  addModelCardCommand(models);
  addModelCertificateCommand(models);
  addModelBaseCommand(models);
  addModelExportCommand(models);
  addModelGenerateCommand(models);
  addModelTuneCommand(models);
  addModelVectorsCommand(models);
}
