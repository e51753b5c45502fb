/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon-doctor.h - what this very daemon gives the doctor to look at
 *
 * Source:  none (our own)
 * Thread:  control
 * Memory:  the input is its caller's: doctor_input_clear()
 */
#pragma once

#include "appliance/daemon-private.h"
#include "appliance/doctor/doctor.h"

void daemon_doctor_fill(Daemon *d, DoctorInput *ret);
