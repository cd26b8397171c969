// SPDX-License-Identifier: MIT OR Apache-2.0
/** A worker of deaths.mjs. */
import { serve } from './anywhere.mjs';
import { churn } from './deaths.mjs';

serve({ churn });
