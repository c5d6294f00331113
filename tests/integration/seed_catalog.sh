# The walk through the catalog as the seed document has it, but for base URL and credentials.
set -euo pipefail
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
curl -s -X GET "$BASE/api/articulos/processing-queue/status" \
  -H "Authorization: Bearer $TOKEN" \
  | python3 -m json.tool --compact

# Reprocesamiento de categoría
TORNILLOS=$(curl -s "$BASE/api/articulos?categoria_id=1" \
  -H "Authorization: Bearer $TOKEN" \
  | python3 -c "import sys, json; print([a['id'] for a in json.load(sys.stdin)['data']['articulos'] if a.get('imagen_url')])")
curl -s -X GET "$BASE/api/articulos/processing-queue/history?limit=50&offset=0" \
  -H "Authorization: Bearer $TOKEN" | python3 -m json.tool --compact
curl -s -X POST "$BASE/api/articulos/processing-queue/5/retry" \
  -H "Authorization: Bearer $TOKEN" | python3 -m json.tool --compact
curl -s -X DELETE "$BASE/api/articulos/processing-queue/clean?dias=7" \
  -H "Authorization: Bearer $TOKEN" | python3 -m json.tool --compact
