//! Kinds of objects of ours: how the engine is told of them, and one that watches the stack.

#![expect(unsafe_code, reason = "the engine's C interface; each call says why it is sound")]

use std::{mem::MaybeUninit, ptr, rc::Rc};

use rquickjs::{Ctx, Error, Object, Result, Value, qjs};

use crate::script::allocator::Meter;

/// What lets go of what an object of ours keeps.
pub(crate) type Finalizer = unsafe extern "C" fn(*mut qjs::JSRuntime, qjs::JSValue);

/// Makes a kind of object known to an engine.
pub(crate) fn register(
    ctx: &Ctx<'_>,
    methods: &'static qjs::JSClassExoticMethods,
    finalizer: Finalizer,
    mark: qjs::JSClassGCMark,
) -> Result<u32> {
    let definition = qjs::JSClassDef {
        class_name: c"Object".as_ptr(),
        finalizer: Some(finalizer),
        gc_mark: mark,
        call: None,
        exotic: ptr::from_ref(methods).cast_mut(),
    };
    let mut class = 0;
    // SAFETY: the engine is live; it copies the definition and the name, and only reads the methods,
    // which live for ever.
    unsafe {
        let runtime = qjs::JS_GetRuntime(ctx.as_raw().as_ptr());
        qjs::JS_NewClassID(runtime, &raw mut class);
        if qjs::JS_NewClass(runtime, class, &raw const definition) < 0 {
            return Err(Error::Exception);
        }
    }
    Ok(class)
}

/// An object of a class of ours, with what it keeps.
///
/// # Safety
/// The class was registered with a finalizer that gives back one count of a `T`.
pub(crate) unsafe fn new_object<'js, T>(
    prototype: &Object<'js>,
    class: u32,
    kept: Rc<T>,
) -> Result<Object<'js>> {
    let ctx = prototype.ctx();
    // SAFETY: context and prototype are live; the object takes over one count of what it keeps.
    let value = unsafe {
        let raw = qjs::JS_NewObjectProtoClass(ctx.as_raw().as_ptr(), prototype.as_raw(), class);
        if qjs::JS_IsException(raw) {
            return Err(Error::Exception);
        }
        qjs::JS_SetOpaque(raw, Rc::into_raw(kept).cast_mut().cast());
        Value::from_raw(ctx.clone(), raw)
    };
    value.into_object().ok_or(Error::Unknown)
}

/// An object that looks at the stack whenever it is asked to become a number.
///
/// The engine asks its `Error.stackTraceLimit` so, each time it makes an error: also when the stack is
/// used up, and before any user code could catch that. It stands for the number that `valueOf` of the
/// prototype gives.
pub(crate) fn depth_watch<'js>(prototype: &Object<'js>, meter: Rc<Meter>) -> Result<Object<'js>> {
    let class = register(prototype.ctx(), &WATCH_METHODS, finish_watch, None)?;
    // SAFETY: the class was registered for meters just now.
    unsafe { new_object(prototype, class, meter) }
}

/// Own members are found first, and without these methods; only what is missing is asked for.
static WATCH_METHODS: qjs::JSClassExoticMethods = qjs::JSClassExoticMethods {
    get_own_property: None,
    get_own_property_names: None,
    delete_property: None,
    define_own_property: None,
    has_property: None,
    get_property: Some(look_at_depth),
    set_property: None,
};

unsafe extern "C" fn finish_watch(_runtime: *mut qjs::JSRuntime, object: qjs::JSValue) {
    // SAFETY: called once for each object of this kind.
    unsafe { finish::<Meter>(object) };
}

/// # Safety
/// The object keeps one count of a `T`, or nothing if it could not be made; it is not used any more.
pub(crate) unsafe fn finish<T>(object: qjs::JSValue) {
    // SAFETY: the caller vouches for what the object keeps.
    unsafe {
        let kept = qjs::JS_GetOpaque(object, qjs::JS_GetClassID(object)).cast::<T>();
        if !kept.is_null() {
            drop(Rc::from_raw(kept));
        }
    }
}

/// Called by the engine as it makes an error.
unsafe extern "C" fn look_at_depth(
    ctx: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: qjs::JSAtom,
    receiver: qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: the engine calls with live arguments; the meter lives as long as the object.
    unsafe {
        let meter = qjs::JS_GetOpaque(object, qjs::JS_GetClassID(object)).cast::<Meter>();
        if let Some(meter) = meter.as_ref() {
            meter.look_at_depth();
        }
        inherited(ctx, object, key, receiver)
    }
}

/// What the prototypes say, as the engine itself would ask them.
///
/// # Safety
/// All arguments are live.
pub(crate) unsafe fn inherited(
    ctx: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: qjs::JSAtom,
    receiver: qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: the caller vouches for the arguments; each value taken is given back once.
    unsafe {
        let mut prototype = qjs::JS_GetPrototype(ctx, object);
        while qjs::JS_IsObject(prototype) {
            let mut found = MaybeUninit::<qjs::JSPropertyDescriptor>::uninit();
            let answer = qjs::JS_GetOwnProperty(ctx, found.as_mut_ptr(), prototype, key);
            if answer != 0 {
                qjs::JS_FreeValue(ctx, prototype);
                if answer < 0 {
                    return qjs::JS_EXCEPTION;
                }
                let found = found.assume_init();
                if (found.flags as u32 & qjs::JS_PROP_GETSET) == 0 {
                    return found.value;
                }
                let value = if qjs::JS_IsUndefined(found.getter) {
                    qjs::JS_UNDEFINED
                } else {
                    qjs::JS_Call(ctx, found.getter, receiver, 0, ptr::null_mut())
                };
                qjs::JS_FreeValue(ctx, found.getter);
                qjs::JS_FreeValue(ctx, found.setter);
                return value;
            }
            let next = qjs::JS_GetPrototype(ctx, prototype);
            qjs::JS_FreeValue(ctx, prototype);
            prototype = next;
        }
        if qjs::JS_IsException(prototype) { prototype } else { qjs::JS_UNDEFINED }
    }
}
