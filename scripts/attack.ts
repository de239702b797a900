/** `npm run attack -- PLAN.json`: what the plan's rows earn by the default model, beside honest ones. JSON in the last line. */
import { attackWorlds, measureAttack } from "@openledger/attribution/gaming/attack-factor";
import { readAttackPlan } from "@openledger/attribution/gaming/attack-plan";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { defaultMailRecipe } from "@openledger/models/registered/recipe-presets";
import { Command } from "commander";

await new Command("attack")
  .description(
    "What an attacker's rows earn by the default model, as a multiple of honest rows, on fixed seeds.",
  )
  .argument("<plan>", "JSON, as examples/attack-plan.json")
  .addHelpText("after", "\nExample:\n  npm run attack -- examples/attack-plan.json")
  .action(async (path: string) => {
    const plan = readAttackPlan(path);
    await initPoseidon();
    const { factor, results } = await measureAttack(plan, attackWorlds(defaultMailRecipe));
    for (const [i, result] of results.entries())
      console.log(`world ${i + 1}: ${result.factor.toFixed(2)}, ${result.leftOut} rows left out`);
    console.log(`${plan.name}: a row earns ${factor.toFixed(2)} times as much as an honest one`);
    console.log(JSON.stringify({ name: plan.name, factor, worlds: results }));
  })
  .parseAsync();
