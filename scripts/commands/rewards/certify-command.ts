import { InvalidArgumentError } from "commander";
import { FOLDER_OPTION, OUT_FILE_OPTION, SERVER_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import { required } from "../../cli/options.ts";
import { command } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";

export const addCertifyCommand = command({
  usage: "certify <model> <epoch> <row>",
  about: "write a certificate of what a row earned, which anyone checks without the model",
  options: {
    ...required(OUT_FILE_OPTION),
    "--max-kilobytes <n>": {
      about: "most kilobytes; draws that paid the row least are left out",
      fallback: 50,
      parse: parseKilobytes,
    },
    ...STORE_OPTION,
    ...SERVER_OPTION,
    ...FOLDER_OPTION,
    ...CIRCUITS_OPTION,
  },
  examples: ["rewards certify 15 1 17 --out row.cert"],
  // Loaded here: they would make every other command slower.
  run: async (context) => (await import("./certify.ts")).writeCertificate(context),
});

export const addCheckCertificateCommand = command({
  usage: "check-certificate <file>",
  about: "check a certificate of a row's earnings against L1, without a model or a sequencer",
  examples: ["rewards check-certificate row.cert --rpc https://… --rollup 0x…"],
  run: async (context) => (await import("./certify.ts")).checkCertificateFile(context),
});

function parseKilobytes(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError("not a number from 1 to 999");
  return Number(text);
}
