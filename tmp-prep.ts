import { contributeToPowers } from "./prover/powers/contribute-powers.ts";
import { preparePowers } from "./prover/powers/prepare-powers.ts";
import { rmSync } from "node:fs";
const p=Number(process.argv[2]);
const t=performance.now(); let c=process.cpuUsage();
const say=(w:string)=>{const d=process.cpuUsage(c); console.log(w,((performance.now()-t)/1000).toFixed(1),"s", ((d.user+d.system)/1e6).toFixed(1),"cpu s so far");};
rmSync("/tmp/ceremony-p",{force:true});rmSync("/tmp/ceremony-q",{force:true});
await contributeToPowers(p,"/tmp/ceremony-p","x"); say("contributed");
await preparePowers("/tmp/ceremony-p","/tmp/ceremony-q",()=>{}); say("prepared");
