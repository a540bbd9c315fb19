/* The methods of cells: the updates, the reading of all numbers, and the move to other memory. */

#include "core.h"

#include <string.h>

typedef struct CellMethod CellMethod;

/* Call a method with its arguments after the cell; they are as many as the row says. */
typedef PyObject *(*Method)(CellMethod *self, CellState *cell, PyObject *argument);

struct CellMethod {
    Front front;
    Method method;
    Py_ssize_t argument_count;
    const Kind *kind;  /* of an update */
    PyObject *convert; /* likewise */
};

static PyObject *
update(CellMethod *self, CellState *cell, PyObject *value)
{
    int done = record_any(self->kind, cell, value, self->convert);
    return done < 0 ? NULL : PyBool_FromLong(done);
}

static PyObject *
floats(const double *numbers, Py_ssize_t count)
{
    PyObject *result = PyTuple_New(count);
    for (Py_ssize_t index = 0; result != NULL && index < count; index++) {
        PyObject *number = PyFloat_FromDouble(numbers[index]);
        if (number == NULL || PyTuple_SetItem(result, index, number) < 0) {
            Py_CLEAR(result);
        }
    }
    return result;
}

static PyObject *
read_all(CellMethod *self, CellState *cell, PyObject *unused)
{
    Py_ssize_t width = cell->width; /* the same in all memory of a series */
    double *copied = PyMem_Malloc((size_t)(width + 1) * sizeof(double));
    (void)self, (void)unused;
    if (copied == NULL) {
        return PyErr_NoMemory();
    }
    lock(&cell->lock);
    for (Py_ssize_t index = 0; index < width; index++) {
        copied[index] = cell->doubles[index];
    }
    unlock(&cell->lock);
    PyObject *result = floats(copied, width);
    PyMem_Free(copied);
    return result;
}

static PyObject *
move_all(CellMethod *self, CellState *cell, PyObject *numbers)
{
    volatile double *doubles;
    Py_ssize_t width;
    (void)self;
    if (find_doubles(numbers, &doubles, &width) < 0) {
        return NULL;
    }
    if (width != cell->width) {
        PyErr_SetString(PyExc_ValueError, "the other memory has another size");
        return NULL;
    }
    PyObject *before = NULL;
    lock(&cell->lock);
    if (cell->writable) {
        for (Py_ssize_t index = 0; index < width; index++) {
            doubles[index] = cell->doubles[index];
        }
        before = cell->numbers;
        cell->numbers = Py_NewRef(numbers);
        cell->doubles = doubles;
    }
    unlock(&cell->lock);
    Py_XDECREF(before);
    Py_RETURN_NONE;
}

static PyObject *
cell_method_call(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *names)
{
    CellMethod *self = (CellMethod *)object;
    Py_ssize_t count = ARGUMENT_COUNT(nargsf);
    CellState *cell = count == 1 + self->argument_count && names == NULL ? as_cell(args[0]) : NULL;
    if (cell == NULL || cell->doubles == NULL) {
        return call_reference(object, args, nargsf, names);
    }
    return self->method(self, cell, count > 1 ? args[1] : NULL);
}

static const struct {
    const char *name;
    Method method;
    Py_ssize_t argument_count;
} others[] = {{"read", read_all, 0}, {"move", move_all, 1}, {NULL, NULL, 0}};

static int
choose_method(CellMethod *self, const char *name)
{
    for (size_t row = 0; others[row].name != NULL; row++) {
        if (strcmp(others[row].name, name) == 0) {
            self->method = others[row].method;
            self->argument_count = others[row].argument_count;
            return 0;
        }
    }
    self->method = update;
    self->argument_count = 1;
    self->kind = find_kind(name);
    return self->kind == NULL ? -1 : 0;
}

static PyObject *
cell_method_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *reference, *convert;
    const char *name;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "OsO:CellMethod", &reference, &name, &convert)) {
        return NULL;
    }
    CellMethod *self = (CellMethod *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->front.vectorcall = cell_method_call;
    self->front.reference = Py_NewRef(reference);
    self->convert = Py_NewRef(convert);
    if (choose_method(self, name) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int
cell_method_visit(PyObject *object, visitproc visit, void *arg)
{
    CellMethod *self = (CellMethod *)object;
    Py_VISIT(self->convert);
    return front_visit(object, visit, arg);
}

static void
cell_method_free(PyObject *object)
{
    CellMethod *self = (CellMethod *)object;
    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->convert);
    front_free(object);
}

static PyObject *
cell_method_bind(PyObject *self, PyObject *instance, PyObject *owner)
{
    (void)owner;
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(self);
    }
    return PyObject_CallFunctionObjArgs(core.bound_method, self, instance, NULL);
}

static PyType_Slot cell_method_slots[] = {
    FRONT_SLOTS,
    {Py_tp_new, cell_method_new},
    {Py_tp_traverse, cell_method_visit},
    {Py_tp_dealloc, cell_method_free},
    {Py_tp_descr_get, cell_method_bind},
    {0, NULL},
};

PyType_Spec cell_method_spec = {
    .name = "otel_meta_native.CellMethod",
    .basicsize = sizeof(CellMethod),
    .flags = FRONT_FLAGS | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = cell_method_slots,
};
