import { makePowers } from "@openledger/prover/testing/powers.fixtures";
await makePowers("/tmp/pt", 13, { ptauPath: "/tmp/pt/made.ptau" });
