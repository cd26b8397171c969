// SPDX-License-Identifier: MIT OR Apache-2.0
/** The worker of parked.mjs. */
import { serve } from './anywhere.mjs';
import { insertParked, performParked } from './parked.mjs';

serve({ perform: performParked, insert: insertParked });
