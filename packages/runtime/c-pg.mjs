import { PGlite } from "@electric-sql/pglite";
const dir=process.argv[2];
const c0=process.cpuUsage(); const t=performance.now();
const db = await PGlite.create(dir==="memory"?{}:{dataDir:dir});
await db.query("select 1");
const d=process.cpuUsage(c0); console.log(process.execArgv.join(" "), dir, (performance.now()-t).toFixed(0),"ms", ((d.user+d.system)/1000).toFixed(0),"cpu");
await db.close();
