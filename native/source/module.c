/* The module: its types, and what it takes from other modules. */

#include "core.h"

#ifndef _WIN32
#include <pthread.h>
#endif

/* Changed with each change of what the package and this module expect of each other. */
#define INTERFACE 1

Core core;

#ifdef Py_GIL_DISABLED

unsigned process_number = 1;

static void
become_another_process(void)
{
    process_number++;
}

static void
watch_forks(void)
{
#ifndef _WIN32
    pthread_atfork(NULL, NULL, become_another_process);
#endif
}

#else
#define watch_forks() ((void)0)
#endif

/* Make a type; add it to the module if the package uses it. */
static PyTypeObject *
make_type(PyObject *module, PyType_Spec *spec, int is_public)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type != NULL && is_public && PyModule_AddType(module, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

static PyObject *
take(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *found = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return found;
}

/* Return a function that makes the Bounds of a tuple, the same for equal tuples. */
static PyObject *
make_shared_bounds(PyTypeObject *bounds)
{
    PyObject *cache = take("functools", "lru_cache");
    PyObject *of_size = cache == NULL ? NULL : PyObject_CallFunction(cache, "i", 256);
    PyObject *shared = of_size == NULL ? NULL : PyObject_CallFunctionObjArgs(of_size, bounds, NULL);
    Py_XDECREF(cache);
    Py_XDECREF(of_size);
    return shared;
}

static int
execute(PyObject *module)
{
    if (core.cell_state != NULL) {
        PyErr_SetString(PyExc_ImportError, "otel_meta_native works in one interpreter of a process");
        return -1;
    }
    core.no_arguments = PyTuple_New(0);
    core.bound_method = take("types", "MethodType");
    core.time = PyImport_ImportModule("time");
    core.span_count = make_type(module, &span_count_spec, 1);
    core.bounds = make_type(module, &bounds_spec, 0);
    core.shared_bounds = core.bounds == NULL ? NULL : make_shared_bounds(core.bounds);
    core.cell_method = make_type(module, &cell_method_spec, 1);
    core.typed_call = make_type(module, &typed_call_spec, 1);
    core.bound_call = make_type(module, &bound_call_spec, 1);
    core.cell_state = make_type(module, &cell_state_spec, 1);
    if (PyErr_Occurred() || PyModule_AddIntConstant(module, "INTERFACE", INTERFACE) < 0) {
        return -1;
    }
    watch_forks();
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "otel_meta_native",
    .m_doc = "Recording in C for otel_meta, which chooses it where it is installed.",
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_otel_meta_native(void)
{
    return PyModuleDef_Init(&definition);
}
