/** `openledger gateway`: options of the command; run-gateway.ts runs it. */
import { GATEWAY_PORT } from "@openledger/gateway/gateway-port";
import { parsePort } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";
import { ANY_HOST_OPTION } from "../datanet/host-options.ts";

export const addGatewayCommand = command({
  usage: "gateway",
  about:
    "answer OpenAI's API on this machine: each answer is checked and paid for, from an account of the gateway's own whose balance is the budget",
  options: {
    "--budget <open>":
      "OPEN that the account of a new gateway gets from --account; a gateway that is there already goes on with what it has",
    "--max-price <open>": "maximum OPEN for one answer, with its fee; required to start it",
    "--name <name>": "name of the gateway on this machine; default: the account's",
    "--port <number>": {
      about: `port on 127.0.0.1; 0 = any free port; default: ${GATEWAY_PORT}, with --mcp any free one`,
      parse: parsePort,
    },
    "--server <url...>": "answer servers of models, beside those that this machine knows",
    "--min-assurance <levels>":
      "minimum assurance that you accept of answer, query and rows, as in openledger models ask; nothing is paid below it",
    ...TEXT_BASE_OPTION,
    ...ANY_HOST_OPTION,
    "--mcp":
      "speak MCP on stdin and stdout, for a program that starts the gateway itself; over HTTP it is at /mcp",
    "--confirm":
      "have a person confirm each payment and each commit of rows by MCP's tools, in a client that can ask them",
    "--return": "when it is stopped, return what is left to the account that paid the budget",
    "--end <name>": "return what is left of a gateway that does not run, and end its account",
  },
  examples: [
    "gateway --account nina --budget 5 --max-price 0.1",
    "gateway --name nina --max-price 0.1 --server https://models.example",
    "gateway --account nina --budget 5 --max-price 0.1 --mcp --confirm",
    "gateway --end nina",
  ],
  // Loaded here: it would make every other command slower.
  run: async (context) => (await import("./run-gateway.ts")).runGateway(context),
});
