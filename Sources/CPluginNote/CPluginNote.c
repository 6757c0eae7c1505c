#include "CPluginNote.h"
