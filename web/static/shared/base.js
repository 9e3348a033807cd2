/** What every page needs: times in the reader's zone. */

import { localTimes } from "./words.js";

localTimes();
