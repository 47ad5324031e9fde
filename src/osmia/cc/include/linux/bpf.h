#pragma once
#include <osmia/uapi.h>
