import { openSqlDatabase } from "../index.ts";
import { sqlSuite } from "../suite.ts";

sqlSuite("PGlite", () => openSqlDatabase(), 1);
