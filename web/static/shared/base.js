/** For every page: show times in the reader's time zone. */

import { localTimes } from "./words.js";

localTimes();
