# The walk through the catalog as the seed document has it, but for base URL, ids and credentials,
# and but for `watch`, which never ends.
set -euo pipefail

ver_estado() {
  curl -s -X GET "$BASE/api/articulos/processing-queue/status" \
    -H "Authorization: Bearer $TOKEN" \
    | python3 -m json.tool --compact
}

esperar() {
  until ver_estado | python3 -c "import sys, json; s = json.load(sys.stdin)['data']['stats']; sys.exit(s['pendientes'] + s['procesando'])"; do sleep 0.5; done
}

# 1. Login
TOKEN=$(curl -s -X POST $BASE/api/auth/login \
  -H "Content-Type: application/json" \
  -d '{"email":"admin@3g.com","password":"admin123 horse"}' \
  | python3 -c "import sys, json; print(json.load(sys.stdin)['data']['token'])")

# 2. Obtener IDs de artículos con imagen
ARTICULOS=$(curl -s -X GET "$BASE/api/articulos?activo=true" \
  -H "Authorization: Bearer $TOKEN" \
  | python3 -c "import sys, json; arts = json.load(sys.stdin)['data']['articulos']; print(','.join([str(a['id']) for a in arts if a.get('imagen_url')])[:20])")
echo "$ARTICULOS"

# 3. Agregar a la cola
curl -s -X POST "$BASE/api/articulos/batch-process-images" \
  -H "Content-Type: application/json" \
  -H "Authorization: Bearer $TOKEN" \
  -d "{\"articuloIds\":[1,2,3,4,5]}" \
  | python3 -m json.tool --compact

# 4. Ver estado en tiempo real
esperar
ver_estado

curl -s -X GET "$BASE/api/articulos/processing-queue/history?limit=50&offset=0" \
  -H "Authorization: Bearer $TOKEN" | python3 -m json.tool --compact

FALLIDO=$(curl -s "$BASE/api/articulos/processing-queue/history?limit=50&offset=0" \
  -H "Authorization: Bearer $TOKEN" \
  | python3 -c "import sys, json; print(next(e['id'] for e in json.load(sys.stdin)['data']['historial'] if e['estado'] == 'failed'))")
curl -s -X POST "$BASE/api/articulos/processing-queue/$FALLIDO/retry" \
  -H "Authorization: Bearer $TOKEN" | python3 -m json.tool --compact
esperar

# Reprocesamiento de categoría
TORNILLOS=$(curl -s "$BASE/api/articulos?categoria_id=1" \
  -H "Authorization: Bearer $TOKEN" \
  | python3 -c "import sys, json; print([a['id'] for a in json.load(sys.stdin)['data']['articulos'] if a.get('imagen_url')])")
curl -s -X POST "$BASE/api/articulos/batch-process-images" \
  -H "Content-Type: application/json" \
  -H "Authorization: Bearer $TOKEN" \
  -d "{\"articuloIds\":$TORNILLOS, \"prioridad\": 10}" \
  | python3 -m json.tool --compact
esperar
ver_estado

curl -s -X DELETE "$BASE/api/articulos/processing-queue/clean?dias=7" \
  -H "Authorization: Bearer $TOKEN" | python3 -m json.tool --compact
